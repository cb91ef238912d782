package chat

import (
	"strings"
	"unicode"

	"github.com/laurelbot/laurel/core"
)

// MaxID is the longest button id, action value or form id, in characters:
// Discord's limit for custom_id, the smaller of both platforms
// (https://discord.com/developers/docs/components/reference#custom-id).
const MaxID = 100

// Verb is what a person wants.
type Verb string

// Verbs of commands, buttons and forms.
const (
	VerbList   Verb = "list"
	VerbLink   Verb = "link"
	VerbEmails Verb = "emails"
	VerbClaim  Verb = "claim"
	VerbHelp   Verb = "help"
	VerbCode   Verb = "code"
	VerbResend Verb = "resend"
	VerbUnlink Verb = "unlink"
	VerbPage   Verb = "page"
	VerbForget Verb = "forget"
	// VerbReminders: what a person wants of reminders; the others change it.
	VerbReminders Verb = "reminders"
	VerbSnooze    Verb = "snooze"
	VerbStop      Verb = "stop"
	VerbResume    Verb = "resume"
	VerbHours     Verb = "hours"
	// VerbShared: a badge was shown to somebody.
	VerbShared Verb = "shared"
	// VerbConsent: whether the team may know of badges, see [consentID].
	VerbConsent Verb = "consent"
	// VerbShare: how a badge can be shown.
	VerbShare Verb = "share"
	// VerbSteps: what is left to do once a badge is accepted, see [stepID].
	VerbSteps Verb = "steps"
	// VerbStatus: how the whole stands, for managers.
	VerbStatus Verb = "status"
	// VerbAnnounce: the calls to claim of a team, for managers.
	VerbAnnounce Verb = "announce"
	// VerbCall shows one of them; the others make, post, drop and end it.
	VerbCall     Verb = "call"
	VerbCallForm Verb = "callform"
	VerbCallPost Verb = "callpost"
	VerbCallDrop Verb = "calldrop"
	VerbCallEnd  Verb = "callend"
	// VerbCalled: somebody answers a call; the button stands where everybody
	// sees it.
	VerbCalled Verb = "called"
	// VerbSettings: what counts for a team, for managers.
	VerbSettings Verb = "settings"
	// VerbDigests: the digests of a team, for managers.
	VerbDigests Verb = "digests"
	// VerbVerify: whether a badge is genuine, whoever issued it.
	VerbVerify Verb = "verify"
	// VerbRecipient: whether it was issued to an address, which is asked for.
	VerbRecipient Verb = "recipient"
	// VerbHome: everything at a glance.
	VerbHome Verb = "home"
	// VerbRoles: what a platform knows of somebody for its roles.
	VerbRoles Verb = "roles"
	// VerbCertificates: what a person earned; the others change how it is kept
	// track of.
	VerbCertificates Verb = "certificates"
	VerbElsewhere    Verb = "elsewhere"
	VerbEndLinks     Verb = "endlinks"
)

// public reports whether the buttons of a verb stand where everybody sees
// them: what is answered must never take their place.
func (v Verb) public() bool { return v == VerbCalled }

// Source is the kind of interaction an action came from.
type Source int

// Sources.
const (
	// SourceCommand: a typed command.
	SourceCommand Source = iota + 1
	// SourcePress: a pressed button.
	SourcePress
	// SourceSubmit: a submitted form.
	SourceSubmit
	// SourceComplete: the platform asks for completions of an argument.
	SourceComplete
	// SourceOpen: the person looks at their home, see [core.HomeKey].
	SourceOpen
)

// Action is one thing a person did, freed of its platform. The platform has
// proven the actor; everything else is what somebody sent.
type Action struct {
	// Key names the interaction: the same key is worked off once, however
	// often it is delivered.
	Key   string
	Actor core.Identity
	// DisplayName is how the platform shows the actor, or empty.
	DisplayName string
	// Workspace is where it happened, e.g. a team or server, for limits.
	Workspace string
	// Team is the team or server whose people run it, e.g. "slack:T1"; empty
	// where there is none, as in a direct message on Discord.
	Team string
	// Locale is the actor's language as the platform tells it with this
	// action (BCP 47), or empty.
	Locale string
	// TimeZone is the actor's IANA time zone, or empty.
	TimeZone string
	// Manager says that the platform lets the actor run the workspace.
	Manager bool
	Source  Source
	Verb    Verb
	// Arg is the text behind the command's word, or the opaque id of a
	// button or form.
	Arg string
	// Fields are the values of a submitted form, by field name.
	Fields map[string]string
	// Links and Files are what the action is about beside Arg: those of the
	// message that was chosen, or what was sent along with a command.
	Links []string
	Files []FileRef
	// MessageKey names the message whose button was pressed, or is empty;
	// [core.HomeKey] in the person's home, which Reply then stands for.
	MessageKey string
	// Reply is where the answer goes: in place of the pressed message, or as
	// the answer to the command.
	Reply core.Place
	// Aside is where a second message goes that only the actor sees.
	Aside core.Place
}

// ID joins a verb and an opaque id to a button or form id.
func ID(v Verb, opaque string) string { return string(v) + ":" + opaque }

// ParseID splits a button or form id. False for anything that [ID] does not
// make.
func ParseID(id string) (v Verb, opaque string, ok bool) {
	if len(id) > MaxID {
		return "", "", false
	}
	verb, opaque, ok := strings.Cut(id, ":")
	if !ok {
		return "", "", false
	}
	switch v := Verb(verb); v {
	case VerbLink, VerbClaim, VerbHelp, VerbCode, VerbResend, VerbUnlink, VerbPage, VerbForget,
		VerbReminders, VerbSnooze, VerbStop, VerbResume, VerbHours, VerbShared, VerbShare, VerbSteps, VerbConsent,
		VerbAnnounce, VerbCall, VerbCallForm, VerbCallPost, VerbCallDrop, VerbCallEnd, VerbCalled,
		VerbSettings, VerbDigests, VerbVerify, VerbRecipient, VerbHome, VerbEmails, VerbRoles,
		VerbCertificates, VerbElsewhere, VerbEndLinks:
		return v, opaque, true
	default:
		return "", "", false
	}
}

// ParseCommand reads the text behind a typed command: its first word is the
// verb, the rest its argument. No text means the list; an unknown word means
// help, with that word as the argument.
func ParseCommand(text string) (v Verb, arg string) {
	word, rest := strings.TrimSpace(text), ""
	if i := strings.IndexFunc(word, unicode.IsSpace); i >= 0 {
		word, rest = word[:i], strings.TrimSpace(word[i:])
	}
	switch v := Verb(strings.ToLower(word)); v {
	case "":
		return VerbList, ""
	case VerbHelp:
		return VerbHelp, ""
	case VerbList, VerbLink, VerbEmails, VerbClaim, VerbForget, VerbReminders, VerbStatus, VerbShare, VerbSteps,
		VerbAnnounce, VerbSettings, VerbDigests, VerbVerify, VerbHome, VerbRoles, VerbCertificates:
		return v, rest
	default:
		return VerbHelp, word
	}
}
