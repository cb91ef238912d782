package archtest

import "strings"

// room is a part of the house with rules of its own. A package belongs to the
// room with the longest matching path.
type room struct {
	path string // below the module's root; what lies below it belongs to it too
	// knows are the rooms that its code may import, besides itself. A path
	// that ends in a slash stands for that room and every room below it.
	knows []string
	// testsKnow are the rooms that only its tests may import in addition.
	testsKnow []string
	// pure rooms import no library and no part of the standard library
	// that is not allowed to pure code.
	pure bool
	// libraries are what a pure room may import beyond pureLibraries.
	libraries []string
}

// everything stands for all rooms.
const everything = "/"

// Tests of the product may use the simulators, the test helpers, and the real
// store in place of a copy of its behaviour.
var forTests = []string{"playground/", "internal/", "adapters/sqlstore"}

// Tests of a room of core may use the other rooms of core beside that.
var forCoreTests = append([]string{"core/"}, forTests...)

// rooms say who may know whom. docs/architecture.md has the reasons.
var rooms = []room{
	{path: "cmd", knows: []string{everything}},
	{path: "core", testsKnow: forCoreTests, pure: true, libraries: []string{"github.com/robfig/cron/v3"}},
	{
		path: "core/chat", knows: []string{"core"}, testsKnow: forCoreTests, pure: true,
		libraries: []string{"github.com/nicksnyder/go-i18n/v2"},
	},
	{path: "core/inbox", knows: []string{"core"}, testsKnow: forCoreTests, pure: true},
	{path: "core/delivery", knows: []string{"core", "core/chat"}, testsKnow: forCoreTests, pure: true},
	adapter("adapters/chart"),
	adapter("adapters/credly"),
	adapter("adapters/discord", "internal/fetch"),
	adapter("adapters/mail"),
	adapter("adapters/openbadges", "internal/fetch"),
	adapter("adapters/portal"),
	adapter("adapters/slack", "internal/fetch"),
	adapter("adapters/sqlstore", "migrations"),
	adapter("adapters/web", "internal/fetch"),
	{path: "scheduler", knows: coreRooms, testsKnow: forTests},
	{path: "migrations", testsKnow: forTests},
	// The simulators know only the platforms' protocols: nothing of the
	// product, so that they cannot agree with it by accident.
	{path: "playground", testsKnow: []string{"internal/"}},
	// Takes the pictures of the README from the built bot.
	{path: "playground/screenshots"},
	{path: "internal", testsKnow: []string{everything}},
	// The one way to addresses that strangers name; see its package comment.
	{path: "internal/fetch", testsKnow: []string{"internal/"}},
	// The browser of tests.
	{path: "internal/chromium"},
	// Where adapters add what they count.
	{path: "internal/registry"},
	{path: "scripts"},
	// Measures the built bot from outside, beside the bare statement of a
	// claim, and the work of the store alone.
	{path: "bench", knows: append([]string{"adapters/sqlstore", "internal/", "bench/seed", "bench/pgproxy"}, coreRooms...)},
	// Breaks the built bot on purpose, in a simulated world.
	{path: "bench/faults", knows: append([]string{"adapters/sqlstore", "internal/", "playground/", "bench/seed", "bench/pgproxy"}, coreRooms...)},
	// What both work with.
	{path: "bench/seed"},
	{path: "bench/pgproxy"},
}

var coreRooms = []string{"core", "core/chat", "core/inbox", "core/delivery"}

// adapter is a room that knows core and its rooms and where to add what it
// counts, and no other adapter.
func adapter(path string, more ...string) room {
	return room{path: path, knows: append(more, append([]string{"internal/registry"}, coreRooms...)...), testsKnow: forTests}
}

// pureLibraries are the small libraries that a pure room may import.
var pureLibraries = []string{
	"github.com/google/uuid",
	"golang.org/x/net/idna",
	"golang.org/x/sync",
	"golang.org/x/text",
}

// impureStandard are the parts of the standard library that a pure room does
// without: no SQL, no HTTP, no other processes.
var impureStandard = []string{"database/sql", "net/http", "net/smtp", "net/rpc", "os/exec"}

// library says where a library may be imported; libraries that no entry
// names may be imported by every room that is not pure.
type library struct {
	path  string
	rooms []string
	tests []string // rooms whose tests may import it in addition
}

var libraries = []library{
	{path: "github.com/slack-go/slack", rooms: []string{"adapters/slack"}, tests: []string{"playground", "cmd"}},
	{path: "github.com/go-analyze/charts", rooms: []string{"adapters/chart"}},
	{path: "github.com/bwmarrin/discordgo", rooms: []string{"adapters/discord"}, tests: []string{"playground", "cmd"}},
	{path: "github.com/jmoiron/sqlx", rooms: store, tests: []string{"cmd"}},
	{path: "github.com/lib/pq", rooms: append([]string{"internal"}, store...), tests: []string{"cmd"}},
	{path: "modernc.org/sqlite", rooms: store, tests: []string{"cmd"}},
	{path: "github.com/pressly/goose/v3", rooms: store},
	{path: "github.com/go-co-op/gocron/v2", rooms: []string{"scheduler"}},
	{path: "github.com/wneessen/go-mail", rooms: []string{"adapters/mail"}, tests: []string{"playground"}},
	{path: "github.com/emersion/go-smtp", rooms: []string{"playground"}, tests: []string{"adapters/mail"}},
	{path: "github.com/alecthomas/kong", rooms: []string{"cmd"}},
	{path: "code.dny.dev/ssrf", rooms: []string{"internal/fetch"}},
	{path: "github.com/go-jose/go-jose/v4", rooms: []string{"adapters/openbadges"}, tests: []string{"cmd", "playground"}},
	{path: "github.com/piprate/json-gold", rooms: []string{"adapters/openbadges"}},
	{path: "golang.org/x/image", rooms: []string{"adapters/openbadges"}},
	{path: "github.com/schollz/progressbar/v3", rooms: []string{"cmd"}},
	{path: "github.com/Shopify/toxiproxy/v2", rooms: []string{"bench/faults"}, tests: []string{everything}},
	// The pictures of the README are taken as the browser tests look.
	{path: "github.com/chromedp/chromedp", rooms: []string{"playground/screenshots", "internal/chromium"}, tests: []string{everything}},
	// The simulators are as strict as the platforms' own descriptions.
	{path: "github.com/santhosh-tekuri/jsonschema/v6", rooms: []string{"playground"}, tests: []string{everything}},
	testOnly("github.com/standard-webhooks/standard-webhooks/libraries"),
	testOnly("go.uber.org/goleak"),
	testOnly("pgregory.net/rapid"),
}

var store = []string{"adapters/sqlstore", "migrations"}

func testOnly(path string) library { return library{path: path, tests: []string{everything}} }

// below reports whether path is root or lies below it.
func below(path, root string) bool {
	return root == everything || path == root || strings.HasPrefix(path, root+"/")
}

func belowAny(path string, roots []string) bool {
	for _, root := range roots {
		if below(path, root) {
			return true
		}
	}
	return false
}

// roomOf returns the room that a path below the module's root belongs to.
func roomOf(path string) (room, bool) {
	var found room
	for _, r := range rooms {
		if below(path, r.path) && len(r.path) > len(found.path) {
			found = r
		}
	}
	return found, found.path != ""
}

// knowsRoom reports whether one of the entries names the room with that path.
func knowsRoom(entries []string, path string) bool {
	for _, e := range entries {
		if e == everything || e == path || strings.HasSuffix(e, "/") && below(path, strings.TrimSuffix(e, "/")) {
			return true
		}
	}
	return false
}

// judge returns why a file of the given package may not import something, or
// "" when it may. pkg is below the module's root; imported is a full path.
func judge(module, pkg, imported string, test bool) string {
	from, known := roomOf(pkg)
	if !known {
		return "package " + pkg + " belongs to no room: add it to the rules"
	}
	if imported == module || strings.HasPrefix(imported, module+"/") {
		return judgeRoom(from, strings.TrimPrefix(strings.TrimPrefix(imported, module), "/"), test)
	}
	for _, l := range libraries {
		if below(imported, l.path) && !belowAny(from.path, l.rooms) && (!test || !belowAny(from.path, l.tests)) {
			return "library " + l.path + " does not belong into " + from.path
		}
	}
	if from.pure && !test {
		return judgePure(from, imported)
	}
	return ""
}

func judgeRoom(from room, imported string, test bool) string {
	to, known := roomOf(imported)
	switch {
	case !known:
		return "package " + imported + " belongs to no room: add it to the rules"
	case to.path == from.path || knowsRoom(from.knows, to.path):
		return ""
	case test && knowsRoom(from.testsKnow, to.path):
		return ""
	case test:
		return "tests of " + from.path + " may not know " + to.path
	default:
		return from.path + " may not know " + to.path
	}
}

func judgePure(from room, imported string) string {
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		if belowAny(imported, impureStandard) {
			return from.path + " is pure: no " + imported
		}
		return ""
	}
	if belowAny(imported, pureLibraries) || belowAny(imported, from.libraries) {
		return ""
	}
	return from.path + " is pure: " + imported + " is not among its libraries"
}
