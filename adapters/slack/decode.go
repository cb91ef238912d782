package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// Reasons to refuse a signed request. None repeats what the request said.
var (
	errNotUTF8   = errors.New("text is not UTF-8 or holds a NUL")
	errNotForm   = errors.New("not a form, or a field comes twice")
	errNotJSON   = errors.New("not the expected JSON")
	errMissingID = errors.New("an id is missing or malformed")
	errBadURL    = errors.New("response URL is not Slack's")
)

const (
	maxIDLen = 255
	// openPrefix begins the action id of link buttons, which Slack reports
	// when they are pressed although the client follows them by itself.
	openPrefix = "open:"
)

// Ids are letters and digits today; Slack asks to treat them as opaque. What
// would confuse our own joined keys is refused.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// interaction is a decoded request, freed of its transport.
type interaction struct {
	kind   string
	action chat.Action
	// trigger lets a form be opened, for three seconds.
	trigger  string
	origin   origin
	received time.Time
	// seen is the hash of the home tab that the person had before them, or
	// empty.
	seen string
	// silent, when set, is why the request is only acknowledged.
	silent string
}

// payload is the little that is used of an interaction. Everything else, the
// blocks of the pressed message above all, may have any shape.
// https://docs.slack.dev/reference/interaction-payloads
type payload struct {
	Type                string  `json:"type"`
	TriggerID           string  `json:"trigger_id"`
	ResponseURL         string  `json:"response_url"`
	CallbackID          string  `json:"callback_id"`
	IsEnterpriseInstall bool    `json:"is_enterprise_install"`
	Team                *idOnly `json:"team"`
	Enterprise          *idOnly `json:"enterprise"`
	User                struct {
		ID       string `json:"id"`
		Username string `json:"username"`
		Name     string `json:"name"`
		TeamID   string `json:"team_id"`
	} `json:"user"`
	Container struct {
		Type        string `json:"type"`
		MessageTS   string `json:"message_ts"`
		ChannelID   string `json:"channel_id"`
		IsEphemeral bool   `json:"is_ephemeral"`
	} `json:"container"`
	Channel *idOnly `json:"channel"`
	Message *struct {
		TS string `json:"ts"`
	} `json:"message"`
	Actions []struct {
		ActionID string `json:"action_id"`
		Value    string `json:"value"`
	} `json:"actions"`
	View *struct {
		ID              string `json:"id"`
		Type            string `json:"type"`
		Hash            string `json:"hash"`
		CallbackID      string `json:"callback_id"`
		PrivateMetadata string `json:"private_metadata"`
		State           *struct {
			Values map[string]map[string]struct {
				Value        *string  `json:"value"`
				Selected     *option  `json:"selected_option"`
				Several      []option `json:"selected_options"`
				Conversation *string  `json:"selected_conversation"`
				Channel      *string  `json:"selected_channel"`
			} `json:"values"`
		} `json:"state"`
	} `json:"view"`
}

// option is a chosen option of a select menu.
type option struct {
	Value string `json:"value"`
}

func joinOptions(options []option) string {
	values := make([]string, 0, len(options))
	for _, o := range options {
		values = append(values, o.Value)
	}
	return strings.Join(values, ",")
}

type idOnly struct {
	ID string `json:"id"`
}

func (i *idOnly) value() string {
	if i == nil {
		return ""
	}
	return i.ID
}

// decodeInteraction reads a pressed button, a submitted or a closed form.
func (a *Adapter) decodeInteraction(data []byte) (interaction, error) {
	var p payload
	if err := decodeJSON(data, &p); err != nil {
		return interaction{}, err
	}
	switch p.Type {
	case "block_actions":
		return a.decodePress(&p)
	case "view_submission":
		return a.decodeSubmit(&p)
	case "shortcut":
		return a.decodeShortcut(&p)
	case "message_action":
		return a.decodeMessageShortcut(&p, data)
	case "view_closed":
		return interaction{kind: kindSubmit, silent: "closed"}, nil
	case "":
		return interaction{}, errNotJSON
	default:
		return interaction{kind: kindInteraction, silent: "ignored"}, nil
	}
}

// actor is who sent it.
func (p *payload) actor() (sender, error) {
	team := p.Team.value()
	if team == "" {
		// In an organisation-wide installation there may be no team.
		team = p.User.TeamID
	}
	who, err := actor(team, p.Enterprise.value(), p.IsEnterpriseInstall, p.User.ID)
	if err != nil {
		return sender{}, err
	}
	who.name = p.User.Username
	if who.name == "" {
		who.name = p.User.Name
	}
	if !cleanText(who.name) {
		return sender{}, errNotUTF8
	}
	return who, nil
}

func (a *Adapter) decodePress(p *payload) (interaction, error) {
	who, err := p.actor()
	if err != nil {
		return interaction{}, err
	}
	atHome := p.Container.Type == "view" && p.View != nil && p.View.Type == "home"
	if len(p.Actions) != 1 || (p.Container.Type != "" && p.Container.Type != "message" && !atHome) {
		return interaction{kind: kindPress, silent: "ignored"}, nil
	}
	if strings.HasPrefix(p.Actions[0].ActionID, openPrefix) {
		return interaction{kind: kindPress, silent: "link"}, nil
	}
	verb, opaque, ok := chat.ParseID(p.Actions[0].Value)
	if !ok {
		verb, opaque, ok = chat.ParseID(p.Actions[0].ActionID)
	}
	if !ok {
		return interaction{kind: kindPress, silent: "unknown"}, nil
	}
	if !cleanText(opaque) {
		return interaction{}, errNotUTF8
	}
	o := origin{
		URL: p.ResponseURL, Channel: p.Container.ChannelID, TS: p.Container.MessageTS, Ephemeral: p.Container.IsEphemeral,
		Tenant: who.id.Tenant, User: who.id.User,
	}
	if atHome {
		return a.pressAtHome(who, p, verb, opaque)
	}
	if o.Channel == "" {
		o.Channel = p.Channel.value()
	}
	if o.TS == "" && p.Message != nil {
		o.TS = p.Message.TS
	}
	if !validID(p.TriggerID) || !optionalID(o.Channel) || !optionalID(o.TS) {
		return interaction{}, errMissingID
	}
	if err := a.stampURL(&o); err != nil {
		return interaction{}, err
	}
	in := interaction{kind: kindPress, trigger: p.TriggerID, origin: o}
	in.action = a.newAction(who, o, p.TriggerID, chat.SourcePress, verb, opaque)
	return in, nil
}

// announceShortcut is the callback id of the global shortcut in the manifest.
const announceShortcut = "announce"

// decodeShortcut reads a global shortcut. It comes from no channel: what is
// answered beside the form goes to the person directly
// (https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload).
func (a *Adapter) decodeShortcut(p *payload) (interaction, error) {
	who, err := p.actor()
	if err != nil {
		return interaction{}, err
	}
	if p.CallbackID != announceShortcut {
		return interaction{kind: kindPress, silent: "unknown"}, nil
	}
	if !validID(p.TriggerID) {
		return interaction{}, errMissingID
	}
	o := origin{Tenant: who.id.Tenant, User: who.id.User}
	in := interaction{kind: kindPress, trigger: p.TriggerID, origin: o}
	in.action = a.newAction(who, o, p.TriggerID, chat.SourcePress, chat.VerbCallForm, "")
	return in, nil
}

func (a *Adapter) decodeSubmit(p *payload) (interaction, error) {
	who, err := p.actor()
	if err != nil {
		return interaction{}, err
	}
	if p.View == nil {
		return interaction{}, errNotJSON
	}
	verb, opaque, ok := chat.ParseID(p.View.CallbackID)
	if !ok {
		return interaction{kind: kindSubmit, silent: "unknown"}, nil
	}
	if !cleanText(opaque) {
		return interaction{}, errNotUTF8
	}
	key := p.TriggerID
	if key == "" {
		key = p.View.ID + "." + p.View.Hash
	}
	if !validID(key) {
		return interaction{}, errMissingID
	}
	o := a.openOrigin(p.View.PrivateMetadata, who.id)
	in := interaction{kind: kindSubmit, trigger: p.TriggerID, origin: o}
	in.action = a.newAction(who, o, key, chat.SourceSubmit, verb, opaque)
	in.action.Fields = map[string]string{}
	if p.View.State == nil {
		return in, nil
	}
	for name, elements := range p.View.State.Values {
		element := elements[inputActionID]
		channel := element.Conversation
		if channel == nil {
			channel = element.Channel
		}
		var value string
		switch {
		case channel != nil:
			if value = *channel; !optionalID(value) {
				return interaction{}, errMissingID
			}
		case element.Value != nil:
			value = *element.Value
		case element.Selected != nil:
			value = element.Selected.Value
		case len(element.Several) > 0:
			value = joinOptions(element.Several)
		default:
			continue
		}
		if !cleanText(value) || !cleanText(name) {
			return interaction{}, errNotUTF8
		}
		in.action.Fields[name] = value
	}
	return in, nil
}

func (a *Adapter) newAction(who sender, o origin, key string, source chat.Source, verb chat.Verb, arg string) chat.Action {
	p := o.places(a.clock.Now())
	return chat.Action{
		Key:         "slack:" + key,
		Actor:       who.id,
		DisplayName: who.name,
		Workspace:   "slack:" + who.team,
		Team:        "slack:" + who.team,
		Source:      source,
		Verb:        verb,
		Arg:         arg,
		MessageKey:  o.messageKey(),
		Reply:       p.reply,
		Aside:       p.aside,
	}
}

type sender struct {
	id   core.Identity
	team string
	name string
}

// actor names the tenant by the enterprise only where the whole enterprise
// installed the app; otherwise user ids are looked up by team.
func actor(team, enterprise string, wholeEnterprise bool, user string) (sender, error) {
	tenant := team
	if wholeEnterprise {
		tenant = enterprise
	}
	if team == "" {
		team = tenant
	}
	if !validID(tenant) || !validID(team) || !validID(user) {
		return sender{}, errMissingID
	}
	return sender{id: core.Identity{Platform: Platform, Tenant: tenant, User: user}, team: team}, nil
}

// decodeJSON reads data strictly as one JSON value. The decoder's own errors
// repeat parts of the input, so only the kind of mistake is passed on.
func decodeJSON(data []byte, into any) error {
	if !utf8.Valid(data) {
		return errNotUTF8
	}
	err := json.Unmarshal(data, into)
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return fmt.Errorf("%w: a field has the wrong type", errNotJSON)
	}
	if err != nil {
		return errNotJSON
	}
	return nil
}

func validID(s string) bool { return s != "" && len(s) <= maxIDLen && idPattern.MatchString(s) }

func optionalID(s string) bool { return s == "" || validID(s) }

// cleanText reports whether s can be stored: no database takes a NUL.
func cleanText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
