package credlysim

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/laurelbot/laurel/playground/simconsole"
)

// ConsoleState is what the console shows.
type ConsoleState struct {
	Now            time.Time  `json:"now"`
	OrganizationID string     `json:"organization_id"`
	WebhookURL     string     `json:"webhook_url"`
	Holding        bool       `json:"holding"`
	Dropping       bool       `json:"dropping"`
	Served         int        `json:"served"`
	Templates      []Template `json:"templates"`
	Badges         []Badge    `json:"badges"`
	Accounts       []Account  `json:"accounts"`
	Webhooks       []Delivery `json:"webhooks"`
	Wire           []Exchange `json:"wire"`
}

// consoleAction is the body of an action; each action uses some of it.
type consoleAction struct {
	BadgeID   string       `json:"badge_id"`
	Email     string       `json:"email"`
	Further   string       `json:"further"`
	FirstName string       `json:"first_name"`
	LastName  string       `json:"last_name"`
	On        bool         `json:"on"`
	Reason    string       `json:"reason"`
	Badge     IssueRequest `json:"badge"`
	Release   Release      `json:"release"`
	Fault     Fault        `json:"fault"`
	Status    int          `json:"status"`
	Template  Template     `json:"template"`
}

// ConsoleHandler serves the simulation's state and takes actions, for a page
// that is shown to whoever tries it out: GET state and POST actions/{name}
// with a JSON body. It must only be reachable from the own machine.
func (s *Server) ConsoleHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) {
		simconsole.WriteJSON(w, http.StatusOK, s.consoleState())
	})
	mux.HandleFunc("POST /actions/{name}", func(w http.ResponseWriter, r *http.Request) {
		var a consoleAction
		if !simconsole.ReadAct(w, r, &a) {
			return
		}
		result, err := s.consoleDo(r, r.PathValue("name"), a)
		if err != nil {
			simconsole.Refuse(w, http.StatusUnprocessableEntity, err.Error())
			return
		}
		simconsole.WriteJSON(w, http.StatusOK, object{"result": result})
	})
	return mux
}

func (s *Server) consoleState() ConsoleState {
	state := ConsoleState{
		Now: s.clock.Now(), OrganizationID: s.cfg.OrganizationID,
		Templates: s.Templates(), Badges: s.Badges(), Webhooks: s.Deliveries(), Wire: s.Wire(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	state.WebhookURL, state.Holding, state.Dropping, state.Served = s.webhookURL, s.hold, s.drop, s.total
	state.Accounts = []Account{}
	for _, a := range s.accounts {
		state.Accounts = append(state.Accounts, a.copy())
	}
	return state
}

// errUnknownAction is a name that the console does not know.
var errUnknownAction = errors.New("unknown action")

func (s *Server) consoleDo(r *http.Request, name string, a consoleAction) (any, error) {
	switch name {
	case "accept":
		return nil, s.Accept(a.BadgeID)
	case "reject":
		return nil, s.Reject(a.BadgeID)
	case "public":
		return nil, s.SetPublic(a.BadgeID, a.On)
	case "issue":
		return s.Issue(a.Badge)
	case "replace":
		return s.Replace(a.BadgeID, a.Badge)
	case "revoke":
		return nil, s.Revoke(a.BadgeID, a.Reason)
	case "delete":
		return nil, s.Delete(a.BadgeID)
	case "register":
		return s.Register(a.Email, Registration{FirstName: a.FirstName, LastName: a.LastName})
	case "add-address":
		return nil, s.AddEmail(a.Email, a.Further, true)
	case "auto-accept":
		return nil, s.SetAutoAccept(a.Email, a.On)
	case "profile":
		return nil, s.SetProfilePublic(a.Email, a.On)
	case "template":
		return s.AddTemplate(a.Template), nil
	case "hold":
		s.HoldWebhooks()
	case "release":
		return s.ReleaseWebhooks(r.Context(), a.Release)
	case "drop":
		s.DropWebhooks(a.On)
	case "tick":
		return s.Tick(r.Context()), nil
	case "fault":
		s.Fail(a.Fault)
	case "clear-faults":
		s.ClearFaults()
	case "single-get":
		s.SetSingleGet(a.Status)
	default:
		return nil, fmt.Errorf("%w: %q", errUnknownAction, name)
	}
	return nil, nil
}
