package openbadges

import (
	"sync"

	"github.com/laurelbot/laurel/core"
)

// beside does something at the same time as others. What a stranger wrote must
// not end the process, should anything in here ever be unfit for it.
func (s *session) beside(wait *sync.WaitGroup, r *report, work func()) {
	wait.Go(func() {
		defer func() {
			if problem := recover(); problem != nil {
				r.failWith(core.CheckFormat, core.VerdictUnknown, unknownProof, "it cannot be judged")
			}
		}()
		work()
	})
}
