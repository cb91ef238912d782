package slacksim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/laurelbot/laurel/playground/simconsole"
)

// changesWait is how long one poll for changes stays open.
const changesWait = 25 * time.Second

// State is everything a page needs to show the workspace to one person.
type State struct {
	Version  int           `json:"version"`
	Now      time.Time     `json:"now"`
	Team     string        `json:"team"`
	Bot      User          `json:"bot"`
	Users    []User        `json:"users"`
	Channels []ChannelInfo `json:"channels"`
	// Conversations are those that menus offer the person, see [Server.Conversations].
	Conversations []ChannelInfo        `json:"conversations"`
	Messages      map[string][]Message `json:"messages"`
	Views         []View               `json:"views"`
	Home          *View                `json:"home,omitempty"`
	Commands      []CommandInfo        `json:"commands"`
	// Shortcuts are those in the menus of messages, Global those beside the
	// composer.
	Shortcuts []ShortcutInfo `json:"shortcuts"`
	Global    []ShortcutInfo `json:"global"`
	// SocketMode, Connections, Sockets and Events tell how the app is reached.
	SocketMode  bool         `json:"socket_mode"`
	Connections []Connection `json:"connections"`
	Sockets     SocketStats  `json:"sockets"`
	Events      EventStats   `json:"events"`
	// DM is the person's conversation with the bot.
	DM string `json:"dm"`
}

// State gathers what a person sees now.
func (s *Server) State(userID string) State {
	dm := s.DM(userID)
	// The version is read before what it stands for, so that a page that waits
	// for a later one misses nothing.
	s.mu.Lock()
	version, bot := s.version, *s.users[s.cfg.BotUserID]
	s.mu.Unlock()
	out := State{
		Version: version, Bot: bot, Team: s.cfg.TeamName, Users: s.Users(), DM: dm, Messages: map[string][]Message{},
		Views: s.Views(userID), Commands: s.cfg.Commands, Now: s.clock.Now(), Shortcuts: []ShortcutInfo{}, Global: []ShortcutInfo{},
		SocketMode: s.SocketMode(), Connections: s.Connections(), Sockets: s.Sockets(), Events: s.Events(),
	}
	out.Channels, out.Conversations = s.Channels(userID), s.Conversations(userID)
	for _, c := range out.Channels {
		out.Messages[c.ID] = s.Messages(c.ID, userID)
	}
	for _, one := range s.cfg.Shortcuts {
		if one.Type == shortcutMessage {
			out.Shortcuts = append(out.Shortcuts, one)
		} else {
			out.Global = append(out.Global, one)
		}
	}
	if home, ok := s.Home(userID); ok {
		out.Home = &home
	}
	return out
}

// act is the body of every action a page asks for.
type act struct {
	User    string            `json:"user"`
	Channel string            `json:"channel"`
	TS      string            `json:"ts"`
	View    string            `json:"view"`
	Command string            `json:"command"`
	Text    string            `json:"text"`
	Action  string            `json:"action"`
	Tab     string            `json:"tab"`
	Values  map[string]string `json:"values"`
	On      bool              `json:"on"`
	Do      string            `json:"do"`
	ID      string            `json:"id"`
	// Callback names a shortcut; Files are shared with Text.
	Callback string   `json:"callback_id"`
	Files    []Upload `json:"files"`
}

// acted is the answer to an action.
type acted struct {
	Status      int               `json:"status"`
	LatencyMS   int64             `json:"latency_ms"`
	UserError   string            `json:"user_error,omitempty"`
	FieldErrors map[string]string `json:"field_errors,omitempty"`
	Problems    []string          `json:"problems,omitempty"`
	OpenedURL   string            `json:"opened_url,omitempty"`
}

// ConsoleHandler serves the workspace to a page as JSON:
//
//	GET  /state?user=U1   everything the person sees (State); with &since=N messages
//	                      that are as they were at version N are only named
//	GET  /changes?since=N waits for a version above N, at most 25 s; {"version"}
//	GET  /log             the wire log
//	GET  /files/{id}?user=U1  a file, as far as the person may see it
//	POST /command         {user, channel, command, text}
//	POST /press           {user, channel, ts, action}, or {user, view, action} in a view
//	POST /submit          {user, view, values}
//	POST /close-view      {user, view}
//	POST /home            {user, tab}
//	POST /say             {user, channel, text}
//	POST /shortcut        {user, callback_id}, with {channel, ts} on a message
//	POST /share           {user, channel, text, files: [{name, data}]}, data in base64
//	POST /socket-mode     {on}: switches Socket Mode
//	POST /connections     {do, id}: drop, freeze or refresh one connection, or all without id
//
// Actions want application/json, so that no other site's form can send them,
// and answer {status, latency_ms, user_error, field_errors, problems,
// opened_url}.
func (s *Server) ConsoleHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, r *http.Request) {
		user := r.URL.Query().Get("user")
		s.mu.Lock()
		known := s.users[user] != nil
		s.mu.Unlock()
		if !known {
			simconsole.Refuse(w, http.StatusNotFound, "no such user")
			return
		}
		state := s.State(user)
		if since, err := strconv.Atoi(r.URL.Query().Get("since")); err == nil {
			simconsole.WriteJSON(w, http.StatusOK, s.since(state, since))
			return
		}
		simconsole.WriteJSON(w, http.StatusOK, state)
	})
	mux.HandleFunc("GET /log", func(w http.ResponseWriter, _ *http.Request) { simconsole.WriteJSON(w, http.StatusOK, s.Log()) })
	mux.HandleFunc("GET /changes", s.serveChanges)
	mux.HandleFunc("GET /files/{id}", s.serveShown)
	for path, do := range map[string]func(context.Context, act) (*Result, error){
		"POST /command": func(ctx context.Context, a act) (*Result, error) {
			return s.Command(ctx, a.User, a.Channel, a.Command, a.Text)
		},
		"POST /press": func(ctx context.Context, a act) (*Result, error) {
			if a.View != "" {
				return s.PressView(ctx, a.User, a.View, a.Action)
			}
			return s.Press(ctx, a.User, MessageRef{Channel: a.Channel, TS: a.TS}, a.Action)
		},
		"POST /submit": func(ctx context.Context, a act) (*Result, error) {
			return s.Submit(ctx, a.User, a.View, a.Values)
		},
		"POST /close-view": func(ctx context.Context, a act) (*Result, error) {
			return s.CloseView(ctx, a.User, a.View)
		},
		"POST /home": func(ctx context.Context, a act) (*Result, error) {
			res, err := s.OpenHome(ctx, a.User, a.Tab)
			if errors.Is(err, ErrNoURL) {
				// The app takes no events: the tab opens all the same.
				return nil, nil //nolint:nilnil // there is nothing to tell
			}
			return res, err
		},
		"POST /say": func(ctx context.Context, a act) (*Result, error) {
			return s.Say(ctx, a.User, a.Channel, a.Text)
		},
		"POST /shortcut": func(ctx context.Context, a act) (*Result, error) {
			if a.TS == "" {
				return s.Shortcut(ctx, a.User, a.Callback)
			}
			return s.MessageShortcut(ctx, a.User, MessageRef{Channel: a.Channel, TS: a.TS}, a.Callback)
		},
		"POST /share": func(ctx context.Context, a act) (*Result, error) {
			_, err := s.Share(ctx, a.User, a.Channel, a.Text, a.Files...)
			return nil, err
		},
		"POST /socket-mode": func(_ context.Context, a act) (*Result, error) {
			s.UseSocketMode(a.On)
			return nil, nil //nolint:nilnil // there is nothing to tell
		},
		"POST /connections": s.consoleConnections,
	} {
		mux.HandleFunc(path, consoleAction(do))
	}
	return http.MaxBytesHandler(mux, maxBody)
}

func (s *Server) consoleConnections(_ context.Context, a act) (*Result, error) {
	do, known := map[string]func(...string) int{
		"drop": s.DropConnections, "freeze": s.FreezeConnections, "refresh": s.RefreshConnections,
	}[a.Do]
	if !known {
		return nil, fmt.Errorf("%q connections: %w", a.Do, ErrNotFound)
	}
	var ids []string
	if a.ID != "" {
		ids = []string{a.ID}
	}
	if do(ids...) == 0 {
		return nil, fmt.Errorf("connection %q: %w", a.ID, ErrNotFound)
	}
	return nil, nil //nolint:nilnil // there is nothing to tell
}

func (s *Server) serveChanges(w http.ResponseWriter, r *http.Request) {
	since, err := strconv.Atoi(r.URL.Query().Get("since"))
	if err != nil {
		since = -1
	}
	ctx, cancel := context.WithTimeout(r.Context(), changesWait)
	defer cancel()
	version := 0
	err = s.Eventually(ctx, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		version = s.version
		return version > since
	})
	if err != nil && r.Context().Err() != nil {
		return
	}
	simconsole.WriteJSON(w, http.StatusOK, map[string]int{"version": version})
}

func consoleAction(do func(context.Context, act) (*Result, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var a act
		if !simconsole.ReadAct(w, r, &a) {
			return
		}
		res, err := do(r.Context(), a)
		switch {
		case errors.Is(err, ErrNotFound):
			simconsole.Refuse(w, http.StatusNotFound, err.Error())
		case errors.Is(err, ErrNotVisible):
			simconsole.Refuse(w, http.StatusForbidden, err.Error())
		case err != nil:
			simconsole.Refuse(w, http.StatusBadGateway, err.Error())
		case res == nil:
			simconsole.WriteJSON(w, http.StatusOK, acted{})
		default:
			simconsole.WriteJSON(w, http.StatusOK, acted{
				Status: res.Status, LatencyMS: res.Latency.Milliseconds(), UserError: res.UserError,
				FieldErrors: res.FieldErrors, Problems: res.Problems, OpenedURL: res.OpenedURL,
			})
		}
	}
}
