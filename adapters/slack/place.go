package slack

import (
	"encoding/json"
	"net/url"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Limits of a response URL
// (https://docs.slack.dev/interactivity/handling-user-interaction#message_responses).
const (
	responseURLLife = 30 * time.Minute
	responseURLUses = 5
	// maxResponseURL keeps the sealed origin within private_metadata.
	maxResponseURL = 1000
	// rememberedResponseURLs is how many URLs' uses are counted at once; for
	// older ones Slack's own refusal counts.
	rememberedResponseURLs = 10_000
)

const (
	hooksHost = "hooks.slack.com"
	// viewContext binds a sealed origin to its use.
	viewContext = "slack view"
)

// endless stands for messages that Slack lets an app edit for good.
func endless() time.Time { return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }

// placeRef is what this adapter keeps in core.Place.Ref. With URL the place
// is a response URL, with TS a message, else a private message to User.
type placeRef struct {
	URL string `json:"u,omitempty"`
	// Replace: the message whose button was pressed is replaced.
	Replace bool `json:"r,omitempty"`
	// Until is when URL dies, in Unix seconds.
	Until int64 `json:"e,omitempty"`
	// Uses is how often URL was used when this was written.
	Uses    int    `json:"n,omitempty"`
	Channel string `json:"c,omitempty"`
	TS      string `json:"t,omitempty"`
	User    string `json:"w,omitempty"`
	Tenant  string `json:"x,omitempty"`
	// Home: the home tab of User.
	Home bool `json:"h,omitempty"`
}

func (r placeRef) secret() core.Secret {
	data, err := json.Marshal(r)
	if err != nil {
		return ""
	}
	return core.Secret(data)
}

func parseRef(s core.Secret) (placeRef, bool) {
	var r placeRef
	if err := json.Unmarshal([]byte(s.Reveal()), &r); err != nil {
		return placeRef{}, false
	}
	return r, r.URL != "" || (r.Channel != "" && r.TS != "") || r.User != ""
}

// messagePlace is where an ordinary message stands.
func messagePlace(tenant, channel, ts string) core.Place {
	return core.Place{
		Ref:           placeRef{Tenant: tenant, Channel: channel, TS: ts}.secret(),
		MessageKey:    channel + ":" + ts,
		EditableUntil: endless(),
		Shown:         true,
	}
}

// homePlace is the home tab of somebody. There is always something to be seen
// in it.
func homePlace(tenant, user string) core.Place {
	return core.Place{
		Ref:           placeRef{Tenant: tenant, User: user, Home: true}.secret(),
		MessageKey:    core.HomeKey,
		EditableUntil: endless(),
		Shown:         true,
	}
}

// origin is where an interaction came from. It travels sealed through a
// form, so that the submission can answer in the right message.
type origin struct {
	URL string `json:"u,omitempty"`
	// Until is when URL dies, in Unix seconds.
	Until   int64  `json:"e,omitempty"`
	Channel string `json:"c,omitempty"`
	// TS is the pressed message, empty for a command.
	TS        string `json:"t,omitempty"`
	Ephemeral bool   `json:"p,omitempty"`
	Tenant    string `json:"x,omitempty"`
	User      string `json:"w,omitempty"`
	// Home: the person's home tab, from which nothing leads to a message.
	Home bool `json:"h,omitempty"`
}

type places struct{ reply, aside core.Place }

// places says where answers go. A response URL that has died since is
// replaced by a private message in the channel, or by a direct message.
func (o origin) places(now time.Time) places {
	private := core.Place{
		Ref:           placeRef{Channel: o.Channel, User: o.User, Tenant: o.Tenant}.secret(),
		EditableUntil: now.Add(responseURLLife),
	}
	p := places{reply: private, aside: private}
	if o.Home {
		p.reply = homePlace(o.Tenant, o.User)
		return p
	}
	if until := time.Unix(o.Until, 0).UTC(); o.URL != "" && now.Before(until) {
		p.aside = core.Place{Ref: placeRef{URL: o.URL, Until: o.Until}.secret(), EditableUntil: until}
		p.reply = p.aside
		if o.TS != "" {
			p.reply = core.Place{
				Ref:           placeRef{URL: o.URL, Until: o.Until, Replace: true}.secret(),
				EditableUntil: until,
				MessageKey:    o.messageKey(),
				Shown:         true,
			}
		}
	}
	if o.TS != "" && o.Channel != "" && !o.Ephemeral {
		p.reply = messagePlace(o.Tenant, o.Channel, o.TS)
	}
	return p
}

func (o origin) messageKey() string {
	if o.Home {
		return core.HomeKey
	}
	if o.TS == "" {
		return ""
	}
	return o.Channel + ":" + o.TS
}

// stampURL checks the response URL of o and notes when it dies.
func (a *Adapter) stampURL(o *origin) error {
	if o.URL == "" {
		return nil
	}
	if !a.allowedURL(o.URL) {
		return errBadURL
	}
	o.Until = a.clock.Now().Add(responseURLLife).Unix()
	return nil
}

// allowedURL reports whether messages may be sent to link: to Slack's own
// host for that, or to the host of the configured API, and nowhere else.
func (a *Adapter) allowedURL(link string) bool {
	if len(link) > maxResponseURL {
		return false
	}
	u, err := url.Parse(link)
	if err != nil || u.User != nil || u.Opaque != "" {
		return false
	}
	if u.Scheme == "https" && u.Host == hooksHost {
		return true
	}
	return u.Scheme == a.apiURL.Scheme && u.Host == a.apiURL.Host
}

// sealOrigin makes the private_metadata of a form.
func (a *Adapter) sealOrigin(o origin) string {
	data, err := json.Marshal(o)
	if err != nil {
		return ""
	}
	return a.keys.Seal(string(data), viewContext)
}

// openOrigin opens what sealOrigin made for the same person. Anything else
// leaves only a direct message as the way to answer.
func (a *Adapter) openOrigin(sealed string, who core.Identity) origin {
	unknown := origin{Tenant: who.Tenant, User: who.User}
	plain, err := a.keys.Open(sealed, viewContext)
	if err != nil {
		return unknown
	}
	var o origin
	if err := json.Unmarshal([]byte(plain), &o); err != nil || o.Tenant != who.Tenant || o.User != who.User {
		return unknown
	}
	return o
}
