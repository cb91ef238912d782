package core

import (
	"cmp"
	"slices"
	"time"
)

// TaskKind is something that a person does at the provider so that an
// accepted badge is seen, and the next one comes by itself.
type TaskKind string

// Kinds of tasks, with the meaning of [TaskRef.Scope], in their order.
const (
	// TaskAccept: the badge is accepted, with which everything begins; its id.
	TaskAccept TaskKind = "accept"
	// TaskPublic: everybody may see the badge; its id.
	TaskPublic TaskKind = "public"
	// TaskProfile: everybody may see the person's profile, without which
	// nobody sees a badge; no scope.
	TaskProfile TaskKind = "profile"
	// TaskAuto: further badges of the issuer are accepted by themselves. The
	// provider has that switch from the first accepted one on; the issuer's
	// id.
	TaskAuto TaskKind = "auto"
	// TaskAddress: the provider knows an address as the person's; its id.
	TaskAddress TaskKind = "address"
)

// TaskRef names a task of a person.
type TaskRef struct {
	Kind  TaskKind
	Scope string
}

// Saying is what a person says of a task that nobody else can see done.
type Saying string

// Sayings. The empty one takes back what was said.
const (
	// SaidDone: it is done.
	SaidDone Saying = "done"
	// SaidSkipped: it is not wanted.
	SaidSkipped Saying = "skipped"
)

// Said is what a person said of a task, and when.
type Said struct {
	Ref  TaskRef
	What Saying
	At   time.Time
}

// HeldAddress is a verified address with what is known of it at the provider.
type HeldAddress struct {
	Address Address
	// Known says that the provider has it in the account of somebody who holds
	// a badge: the person's own, for nobody else can verify it there.
	Known bool
}

// TaskFacts are what decides the tasks of a person.
type TaskFacts struct {
	MemberID string
	// Badges are those that the person holds, newest first.
	Badges []Badge
	// Addresses are the verified ones, oldest first.
	Addresses []HeldAddress
	Said      []Said
}

// TaskState is how a task stands.
type TaskState string

// States of tasks.
const (
	// TaskSeen: the provider shows that it is done.
	TaskSeen TaskState = "seen"
	// TaskSaid: the person says so.
	TaskSaid TaskState = "said"
	// TaskSkipped: the person does not want it.
	TaskSkipped TaskState = "skipped"
	// TaskNext: the first one that is open.
	TaskNext TaskState = "next"
	// TaskLater: another one comes before it.
	TaskLater TaskState = "later"
)

// Open reports whether there is something left to do.
func (s TaskState) Open() bool { return s == TaskNext || s == TaskLater }

// Task is one of the things that follow the acceptance of badges.
type Task struct {
	Ref   TaskRef
	State TaskState
	// Badge is set where the task is about one.
	Badge Badge
	// Address is set for TaskAddress.
	Address Email
}

// Provided is what decides tasks on the provider's side.
type Provided struct {
	// Tells is what the provider shows of itself.
	Tells Capability
	// Issuer tells one issuer from another.
	Issuer string
}

// Tasks returns what there is to do for a person, in order: for one badge that
// is held, or for all of them where about is empty, of which those are left
// out that nobody would look at any more. There is nothing to do for who holds
// none.
func Tasks(f TaskFacts, about string, p Provided, now time.Time) []Task {
	badges := slices.DeleteFunc(slices.Clone(f.Badges), func(b Badge) bool {
		expired := !b.ExpiresAt.IsZero() && b.ExpiresAt.Before(now)
		return about != "" && b.ID != about || about == "" && expired && b.Stage != StagePublic
	})
	if len(badges) == 0 {
		return nil
	}
	var all []Task
	if about != "" {
		all = append(all, Task{Ref: TaskRef{TaskAccept, about}, State: TaskSeen, Badge: badges[0]})
	}
	private := true
	var public []Task
	for _, b := range badges {
		t := f.task(TaskRef{TaskPublic, b.ID})
		t.Badge = b
		if b.Stage == StagePublic {
			t.State = TaskSeen
		} else if t.State == TaskSaid && p.Tells.Has(TellsVisibility) {
			// The provider knows better.
			t.State = TaskLater
		}
		private = private && t.State == TaskSkipped
		public = append(public, t)
	}
	all = append(all, closedFirst(public)...)
	if !private {
		// Who keeps every badge private needs no profile that others can see.
		all = append(all, f.task(TaskRef{TaskProfile, ""}))
	}
	all = append(all, f.task(TaskRef{TaskAuto, p.Issuer}))
	all = append(all, f.addresses()...)
	for i := range all {
		if all[i].State.Open() {
			all[i].State = TaskNext
			break
		}
	}
	return all
}

// task is a task as the person left it, open where nothing was said.
func (f TaskFacts) task(ref TaskRef) Task {
	t := Task{Ref: ref, State: TaskLater}
	for _, s := range f.Said {
		if s.Ref != ref {
			continue
		}
		if t.State = TaskSaid; s.What == SaidSkipped {
			t.State = TaskSkipped
		}
	}
	return t
}

// addresses are the tasks of somebody who has several.
func (f TaskFacts) addresses() []Task {
	if len(f.Addresses) < 2 {
		return nil
	}
	var all []Task
	for _, a := range f.Addresses {
		t := f.task(TaskRef{TaskAddress, a.Address.ID})
		t.Address = a.Address.Email
		if a.Known {
			t.State = TaskSeen
		}
		all = append(all, t)
	}
	return closedFirst(all)
}

// closedFirst puts what is left to do behind the rest.
func closedFirst(all []Task) []Task {
	open := func(t Task) int {
		if t.State.Open() {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b Task) int { return cmp.Compare(open(a), open(b)) })
	return all
}

// AllDone reports whether nothing is left to do.
func AllDone(all []Task) bool {
	return !slices.ContainsFunc(all, func(t Task) bool { return t.State.Open() })
}
