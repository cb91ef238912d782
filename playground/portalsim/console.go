package portalsim

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/laurelbot/laurel/playground/simconsole"
)

// ConsoleState is what the console shows.
type ConsoleState struct {
	Now       time.Time `json:"now"`
	TargetURL string    `json:"target_url"`
	Holding   bool      `json:"holding"`
	Awards    []Award   `json:"awards"`
	Sent      []Message `json:"sent"`
	Received  []Event   `json:"received"`
	Refused   []Refusal `json:"refused"`
}

// consoleAction is the body of an action; each action uses some of it.
type consoleAction struct {
	Award Award  `json:"award"`
	ID    string `json:"id"`
	Email string `json:"email"`
	Order []int  `json:"order"`
	Fault Fault  `json:"fault"`
}

// ConsoleHandler serves the portal's state and takes actions, for a page that
// is shown to whoever tries the product out: GET state and POST
// actions/{grant,change,withdraw,erase,redeliver,hold,release,fault,clear-faults}
// with a JSON body. It must only be reachable from the own machine.
func (s *Server) ConsoleHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) {
		state := ConsoleState{
			Now: s.clock.Now(), Awards: s.Awards(), Sent: s.Sent(), Received: s.Received(), Refused: s.Refused(),
		}
		s.mu.Lock()
		state.TargetURL, state.Holding = s.target, s.hold
		s.mu.Unlock()
		simconsole.WriteJSON(w, http.StatusOK, state)
	})
	mux.HandleFunc("POST /actions/{name}", func(w http.ResponseWriter, r *http.Request) {
		var a consoleAction
		if !simconsole.ReadAct(w, r, &a) {
			return
		}
		result, err := s.consoleDo(r, r.PathValue("name"), a)
		if err != nil {
			simconsole.WriteJSON(w, http.StatusUnprocessableEntity, map[string]any{"error": err.Error(), "result": result})
			return
		}
		simconsole.WriteJSON(w, http.StatusOK, map[string]any{"result": result})
	})
	return mux
}

// errUnknownAction is a name that the console does not know.
var errUnknownAction = errors.New("unknown action")

func (s *Server) consoleDo(r *http.Request, name string, a consoleAction) (any, error) {
	ctx := r.Context()
	switch name {
	case "grant":
		return s.Grant(ctx, a.Award)
	case "change":
		return s.Change(ctx, a.Award)
	case "withdraw":
		return s.Withdraw(ctx, a.ID)
	case "erase":
		return s.ErasePerson(ctx, a.Email)
	case "redeliver":
		return s.Redeliver(ctx, a.ID)
	case "hold":
		s.Hold()
	case "release":
		return nil, s.Release(ctx, a.Order...)
	case "fault":
		s.Fail(a.Fault)
	case "clear-faults":
		s.ClearFaults()
	default:
		return nil, fmt.Errorf("%w: %q", errUnknownAction, name)
	}
	return nil, nil
}
