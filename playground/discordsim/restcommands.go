package discordsim

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"time"
)

// commandBook holds the registered commands, by guild; "" holds the global
// ones.
type commandBook struct {
	byGuild map[string][]object
	creates map[string][]time.Time
	writes  int
}

func newCommandBook() commandBook {
	return commandBook{byGuild: map[string][]object{}, creates: map[string][]time.Time{}}
}

// find returns the registered command of a name and type, the guild's own
// first.
func (b *commandBook) find(guildID, name string, kind int) object {
	for _, scope := range []string{guildID, ""} {
		for _, c := range b.byGuild[scope] {
			if str(c, "name") == name && num(c, "type") == kind {
				return c
			}
		}
	}
	return nil
}

func (s *Server) commandScope(c *call) (string, *apiError) {
	if c.args["app"] != s.cfg.ApplicationID {
		return "", errNotThisApplication()
	}
	guild := c.args["guild"]
	if guild != "" && s.guilds[guild] == nil {
		return "", errUnknownGuild()
	}
	return guild, nil
}

// getCommands leaves out localizations unless asked for them by
// with_localizations,
// https://discord.com/developers/docs/interactions/application-commands#get-global-application-commands.
func (s *Server) getCommands(c *call) (answer, *apiError) {
	guild, e := s.commandScope(c)
	if e != nil {
		return refuse(e)
	}
	full := c.r.URL.Query().Get("with_localizations") == "true"
	list := []any{}
	for _, cmd := range s.commands.byGuild[guild] {
		if !full {
			cmd, _ = withoutLocalizations(cmd).(object)
		}
		list = append(list, cmd)
	}
	return ok(list)
}

func withoutLocalizations(v any) any {
	switch v := v.(type) {
	case object:
		out := object{}
		for k, x := range v {
			if k != "name_localizations" && k != "description_localizations" {
				out[k] = withoutLocalizations(x)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = withoutLocalizations(x)
		}
		return out
	}
	return v
}

// putCommands overwrites all commands of a scope. Names that were there
// before keep their id and do not count as created.
func (s *Server) putCommands(c *call) (answer, *apiError) {
	guild, e := s.commandScope(c)
	if e != nil {
		return refuse(e)
	}
	list, isList := c.body.([]any)
	f := newForm()
	if !isList {
		f.add("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType.")
		return refuse(f.err())
	}
	s.commands.writes++
	if s.cfg.Schema != nil {
		for i, v := range list {
			if err := s.cfg.Schema.Validate("ApplicationCommandUpdateRequest", v); err != nil {
				f.index(i).add("SCHEMA_VIOLATION", err.Error())
			}
		}
	}
	var fresh []object
	names := map[string]bool{}
	for i, v := range list {
		cmd := readCommand(f.index(i), v)
		key := str(cmd, "name") + string(rune('0'+num(cmd, "type")))
		if names[key] {
			f.index(i).at("name").add("APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
		}
		names[key] = true
		fresh = append(fresh, cmd)
	}
	if e := f.err(); e != nil {
		return refuse(e)
	}
	if e := tooMany(fresh); e != nil {
		return refuse(e)
	}
	old := s.commands.byGuild[guild]
	out := make([]any, 0, len(fresh))
	created := 0
	for _, cmd := range fresh {
		if !s.adopt(old, cmd, guild) {
			created++
		}
		out = append(out, cmd)
	}
	if !s.countCreates(guild, created) {
		return refuse(errTooManyCreates())
	}
	s.commands.byGuild[guild] = fresh
	s.touch()
	return ok(out)
}

// postCommand creates a command, or overwrites the one of the same name.
func (s *Server) postCommand(c *call) (answer, *apiError) {
	guild, e := s.commandScope(c)
	if e != nil {
		return refuse(e)
	}
	s.commands.writes++
	f := newForm()
	cmd := readCommand(f, c.body)
	if e := f.err(); e != nil {
		return refuse(e)
	}
	old := s.commands.byGuild[guild]
	if s.adopt(old, cmd, guild) {
		i := slices.IndexFunc(old, func(o object) bool { return o["id"] == cmd["id"] })
		s.commands.byGuild[guild] = slices.Concat(old[:i], []object{cmd}, old[i+1:])
		s.touch()
		return ok(cmd)
	}
	if e := tooMany(append(slices.Clone(old), cmd)); e != nil {
		return refuse(e)
	}
	if !s.countCreates(guild, 1) {
		return refuse(errTooManyCreates())
	}
	s.commands.byGuild[guild] = append(slices.Clone(old), cmd)
	s.touch()
	return answer{status: http.StatusCreated, body: cmd}, nil
}

// tooMany counts the commands of each type,
// https://discord.com/developers/docs/interactions/application-commands#registering-a-command.
func tooMany(list []object) *apiError {
	count := map[int]int{}
	for _, cmd := range list {
		kind, most := num(cmd, "type"), maxMenuCommands
		if kind == 1 {
			most = maxCommands
		}
		if count[kind]++; count[kind] > most {
			return errTooManyCommands(most)
		}
	}
	return nil
}

// adopt gives a command its ids: those of the old one of the same name, with
// a new version when something changed. It reports whether there was one.
func (s *Server) adopt(old []object, cmd object, guild string) bool {
	cmd["application_id"] = s.cfg.ApplicationID
	if guild != "" {
		cmd["guild_id"] = guild
	}
	for _, o := range old {
		if o["name"] != cmd["name"] || o["type"] != cmd["type"] {
			continue
		}
		cmd["id"], cmd["version"] = o["id"], o["version"]
		if !reflect.DeepEqual(map[string]any(o), cmd) {
			cmd["version"] = s.newID()
		}
		return true
	}
	cmd["id"] = s.newID()
	cmd["version"] = s.newID()
	return false
}

// countCreates keeps to the limit of new commands per day and scope.
func (s *Server) countCreates(guild string, n int) bool {
	now := s.clock.Now()
	recent := slices.DeleteFunc(s.commands.creates[guild], func(t time.Time) bool { return now.Sub(t) >= 24*time.Hour })
	if len(recent)+n > maxCommandCreates {
		s.commands.creates[guild] = recent
		return false
	}
	for range n {
		recent = append(recent, now)
	}
	s.commands.creates[guild] = recent
	return true
}

func (s *Server) getCommand(c *call) (answer, *apiError) {
	guild, e := s.commandScope(c)
	if e != nil {
		return refuse(e)
	}
	for _, cmd := range s.commands.byGuild[guild] {
		if cmd["id"] == c.args["command"] {
			return ok(cmd)
		}
	}
	return refuse(errUnknownCommand())
}

func (s *Server) deleteCommand(c *call) (answer, *apiError) {
	guild, e := s.commandScope(c)
	if e != nil {
		return refuse(e)
	}
	old := s.commands.byGuild[guild]
	left := slices.DeleteFunc(slices.Clone(old), func(o object) bool { return o["id"] == c.args["command"] })
	if len(left) == len(old) {
		return refuse(errUnknownCommand())
	}
	s.commands.writes++
	s.commands.byGuild[guild] = left
	s.touch()
	return noContent()
}

// CommandWrites counts the requests that registered or removed commands, good
// and bad: a bot that registers only what changed does not raise it.
func (s *Server) CommandWrites() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commands.writes
}

// Commands returns the registered commands, the global ones first.
func (s *Server) Commands() []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Command{}
	for _, guild := range slices.Sorted(maps.Keys(s.commands.byGuild)) {
		for _, c := range s.commands.byGuild[guild] {
			out = append(out, view[Command](c))
		}
	}
	return out
}

// Command is a registered command.
type Command struct {
	ID                       string            `json:"id"`
	GuildID                  string            `json:"guild_id,omitempty"`
	Type                     int               `json:"type"`
	Name                     string            `json:"name"`
	Description              string            `json:"description"`
	NameLocalizations        map[string]string `json:"name_localizations,omitempty"`
	DescriptionLocalizations map[string]string `json:"description_localizations,omitempty"`
	Options                  []CommandOption   `json:"options,omitempty"`
	Contexts                 []int             `json:"contexts,omitempty"`
	Version                  string            `json:"version"`
}

// CommandOption is an option, subcommand or group of a command.
type CommandOption struct {
	Type                     int               `json:"type"`
	Name                     string            `json:"name"`
	Description              string            `json:"description"`
	NameLocalizations        map[string]string `json:"name_localizations,omitempty"`
	DescriptionLocalizations map[string]string `json:"description_localizations,omitempty"`
	Required                 bool              `json:"required,omitempty"`
	Autocomplete             bool              `json:"autocomplete,omitempty"`
	MinLength                *int              `json:"min_length,omitempty"`
	MaxLength                *int              `json:"max_length,omitempty"`
	Choices                  []Choice          `json:"choices,omitempty"`
	Options                  []CommandOption   `json:"options,omitempty"`
}

// Choice is a choice of an option, or a suggestion of an autocompletion.
// Value is a string, or a number (float64 or json.Number).
type Choice struct {
	Name              string            `json:"name"`
	NameLocalizations map[string]string `json:"name_localizations,omitempty"`
	Value             any               `json:"value"`
}

// view turns a wire object into its typed form. Wire objects are made of
// checked parts, so that the conversion cannot fail.
func view[T any](v any) T {
	var out T
	data, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		var zero T
		return zero
	}
	return out
}
