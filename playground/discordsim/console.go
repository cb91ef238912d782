package discordsim

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/laurelbot/laurel/playground/simconsole"
)

// ConsoleState is what GET /state of ConsoleHandler answers.
type ConsoleState struct {
	Version  uint64           `json:"version"`
	Now      time.Time        `json:"now"`
	User     User             `json:"user"`
	Users    []User           `json:"users"`
	Guilds   []Guild          `json:"guilds"`
	Channels []ConsoleChannel `json:"channels"`
	Modals   []*Modal         `json:"modals"`
	Commands []Command        `json:"commands"`
	// Roles are the linked roles of all guilds, and RolesURL is where a person
	// connects for them; empty where the application has no such page.
	Roles    []ConsoleRole `json:"roles"`
	RolesURL string        `json:"roles_url,omitempty"`
	// Authorized says that the person lets the application act for them.
	Authorized bool `json:"authorized"`
}

// ConsoleRole is a linked role as people see it.
type ConsoleRole struct {
	LinkedRole
	// Asks are the requirements in words.
	Asks []string `json:"asks"`
	// Holders are the ids of those who have it.
	Holders []string `json:"holders"`
}

// ConsoleChannel is a channel with what the chosen person sees in it.
type ConsoleChannel struct {
	Channel
	DM bool `json:"dm"`
	// Group says that it is one of people without the bot, Foreign is the name
	// of a guild in which the bot is not.
	Group    bool      `json:"group,omitempty"`
	Foreign  string    `json:"foreign,omitempty"`
	Messages []Message `json:"messages"`
	// Order names all messages where Messages leaves out those that the page
	// has already.
	Order []string `json:"order,omitempty"`
}

// consoleAct is the body of the POST routes; each uses a part of it.
type consoleAct struct {
	User       string         `json:"user"`
	Channel    string         `json:"channel"`
	Command    string         `json:"command"`
	Subcommand string         `json:"subcommand"`
	Options    map[string]any `json:"options"`
	Option     string         `json:"option"`
	Partial    string         `json:"partial"`
	Message    string         `json:"message"`
	CustomID   string         `json:"custom_id"`
	Values     any            `json:"values"` // a list for /press, an object for /submit.
	Modal      string         `json:"modal"`
	Text       string         `json:"text"`
	Files      []Upload       `json:"files"`
	// File goes into the option of that name.
	File *Upload `json:"file"`
}

// pollTime is how long GET /changes waits for a change.
const pollTime = 25 * time.Second

// ConsoleHandler serves JSON for a web page on which a person acts by hand:
//
//	GET  /state?user=ID       what the person sees (ConsoleState); with &since=N
//	                          messages that are as at version N are only in the order
//	GET  /changes?since=N     {"version":M} when M > N, or after 25 s
//	GET  /log                 the wire log
//	POST /command             {user, channel, command, subcommand, options, option, file}
//	POST /autocomplete        {user, channel, command, subcommand, option, partial}
//	POST /press               {user, message, custom_id, values: [...]}
//	POST /submit              {user, modal, values: {custom_id: value}}
//	POST /close-modal         {user, modal}
//	POST /message-command     {user, message, command}
//	POST /say                 {user, channel, text, files: [{name, data}]}, data in base64
//	POST /sign-in             {user}: whose browser opens the consent page
//	POST /deauthorize         {user}: takes the application away under Authorized Apps
//
// An empty channel is the direct one with the bot. Acts answer a Result,
// /autocomplete a list of Choice, refusals {"error": "..."} with 400. POST
// takes application/json only (else 415), so that no foreign page can act.
func (s *Server) ConsoleHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /state", s.consoleState)
	mux.HandleFunc("GET /changes", s.consoleChanges)
	mux.HandleFunc("GET /log", func(w http.ResponseWriter, _ *http.Request) { simconsole.WriteJSON(w, http.StatusOK, s.Log()) })
	act := func(path string, do func(*http.Request, consoleAct) (any, error)) {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			var in consoleAct
			if !simconsole.ReadAct(w, r, &in) {
				return
			}
			out, err := do(r, in)
			if err != nil {
				simconsole.Refuse(w, http.StatusBadRequest, err.Error())
				return
			}
			simconsole.WriteJSON(w, http.StatusOK, out)
		})
	}
	act("/command", func(r *http.Request, in consoleAct) (any, error) {
		if in.File != nil {
			if in.Options == nil {
				in.Options = map[string]any{}
			}
			in.Options[in.Option] = *in.File
		}
		return s.Command(r.Context(), in.User, in.Channel, in.Command, in.Subcommand, in.Options)
	})
	act("/message-command", func(r *http.Request, in consoleAct) (any, error) {
		return s.MessageCommand(r.Context(), in.User, in.Message, in.Command)
	})
	act("/say", func(_ *http.Request, in consoleAct) (any, error) {
		id, err := s.Share(in.User, in.Channel, in.Text, in.Files...)
		return object{"id": id}, err
	})
	act("/autocomplete", func(r *http.Request, in consoleAct) (any, error) {
		return s.Autocomplete(r.Context(), in.User, in.Channel, in.Command, in.Subcommand, in.Option, in.Partial)
	})
	act("/press", func(r *http.Request, in consoleAct) (any, error) {
		values := []string{}
		list, _ := in.Values.([]any)
		for _, v := range list {
			text, _ := v.(string)
			values = append(values, text)
		}
		return s.Press(r.Context(), in.User, in.Message, in.CustomID, values...)
	})
	act("/submit", func(r *http.Request, in consoleAct) (any, error) {
		values, _ := in.Values.(object)
		for _, m := range s.Modals(in.User) {
			if m.ID == in.Modal {
				return s.Submit(r.Context(), in.User, m, values)
			}
		}
		return nil, errors.New("the form is not open")
	})
	act("/close-modal", func(_ *http.Request, in consoleAct) (any, error) {
		s.CloseModal(in.User, in.Modal)
		return object{}, nil
	})
	act("/sign-in", func(_ *http.Request, in consoleAct) (any, error) {
		s.SignIn(in.User)
		return object{}, nil
	})
	act("/deauthorize", func(_ *http.Request, in consoleAct) (any, error) {
		s.Deauthorize(in.User)
		return object{}, nil
	})
	return mux
}

func (s *Server) consoleState(w http.ResponseWriter, r *http.Request) {
	commands := s.Commands()
	// Without a number everything counts as new.
	since, err := strconv.ParseUint(r.URL.Query().Get("since"), 10, 64)
	all := err != nil
	s.mu.Lock()
	u := s.users[r.URL.Query().Get("user")]
	if u == nil {
		s.mu.Unlock()
		simconsole.Refuse(w, http.StatusNotFound, "unknown user")
		return
	}
	dm := s.openDM(u.ID)
	st := ConsoleState{
		Version: s.version, Now: s.clock.Now(), User: u.User, Users: []User{}, Guilds: []Guild{},
		Channels: []ConsoleChannel{}, Modals: []*Modal{}, Commands: commands,
		Roles: s.shownRoles(), RolesURL: s.oauth.verification, Authorized: slices.ContainsFunc(s.oauth.grants, func(g *grant) bool { return g.user == u.ID }),
	}
	for _, id := range sortedKeys(s.users) {
		st.Users = append(st.Users, s.users[id].User)
	}
	for _, id := range sortedKeys(s.guilds) {
		st.Guilds = append(st.Guilds, s.guilds[id].Guild)
	}
	for _, id := range s.order {
		ch := s.channels[id]
		if ch.kind == channelDM && ch != dm || !ch.sees(u.ID) {
			continue
		}
		shown := ConsoleChannel{Channel: ch.Channel, DM: ch.kind == channelDM, Group: ch.kind == channelGroup}
		if g := s.foreign[ch.GuildID]; g != nil {
			shown.Foreign = g.Name
		}
		if all {
			shown.Messages = s.messagesFor(id, u.ID)
		} else {
			shown.Messages, shown.Order = s.messagesSince(id, u.ID, since)
		}
		st.Channels = append(st.Channels, shown)
	}
	for _, m := range s.modals {
		if m.UserID == u.ID {
			st.Modals = append(st.Modals, m)
		}
	}
	s.mu.Unlock()
	simconsole.WriteJSON(w, http.StatusOK, st)
}

func (s *Server) consoleChanges(w http.ResponseWriter, r *http.Request) {
	since, err := strconv.ParseUint(r.URL.Query().Get("since"), 10, 64)
	if err != nil {
		since = 0
	}
	ctx, cancel := context.WithTimeout(r.Context(), pollTime)
	defer cancel()
	err = s.Eventually(ctx, func() bool { return s.Version() > since })
	if err != nil && r.Context().Err() != nil {
		return
	}
	simconsole.WriteJSON(w, http.StatusOK, object{"version": s.Version()})
}
