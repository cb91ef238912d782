package console

import (
	"encoding/json"
	"net/http"

	"github.com/laurelbot/laurel/playground/simconsole"
)

// maxIntakeRows is how many rows of an imported file the page shows one by
// one; the counts are of all.
const maxIntakeRows = 200

// Intake says what became of an imported file.
type Intake struct {
	// Done says that the file's good rows are with the program now.
	Done bool `json:"done"`
	// Good and Bad count rows.
	Good int `json:"good"`
	Bad  int `json:"bad"`
	// New, Changed and Unchanged count the good rows of an import that was done.
	New       int `json:"new"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	// Rows are the file's, in its order.
	Rows []IntakeRow `json:"rows"`
	// Problem is why the file as a whole cannot be read, or nothing could be
	// kept.
	Problem string `json:"problem,omitempty"`
}

// IntakeRow is one row of an imported file.
type IntakeRow struct {
	Line int `json:"line"`
	// What names the row for people: its award, and to whom it goes.
	What string `json:"what"`
	// Wrong is what is wrong with it; none for a good row.
	Wrong []string `json:"wrong"`
}

// serveIntake takes {csv, skip}: skip takes in the good rows of a file that
// also has bad ones.
func (c *console) serveIntake(w http.ResponseWriter, r *http.Request) {
	var in struct {
		CSV  string `json:"csv"`
		Skip bool   `json:"skip"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		simconsole.Refuse(w, http.StatusBadRequest, "the file is not readable, or larger than a megabyte")
		return
	}
	out := c.cfg.App.Import(r.Context(), []byte(in.CSV), in.Skip)
	out.Rows = append([]IntakeRow{}, out.Rows[:min(len(out.Rows), maxIntakeRows)]...)
	for i := range out.Rows {
		if out.Rows[i].Wrong == nil {
			out.Rows[i].Wrong = []string{}
		}
	}
	simconsole.WriteJSON(w, http.StatusOK, out)
}
