package core

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestStages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		stage                  Stage
		claimable, held, ended bool
	}{
		{StageUnknown, false, false, false},
		{StageGranted, true, false, false},
		{StagePending, true, false, false},
		{StageAccepted, false, true, false},
		{StagePublic, false, true, false},
		{StageRejected, false, false, true},
		{StageRevoked, false, false, true},
		{StageReplaced, false, false, true},
		{StageWithdrawn, false, false, true},
	} {
		if tt.stage.Claimable() != tt.claimable || tt.stage.Held() != tt.held || tt.stage.Ended() != tt.ended {
			t.Errorf("%s: claimable %v, held %v, ended %v", tt.stage, tt.stage.Claimable(), tt.stage.Held(), tt.stage.Ended())
		}
	}
}

func TestStateAtItsEnd(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		stored       HandoffState
		before, from HandoffState
		live         bool
	}{
		{HandoffPreparing, HandoffPreparing, HandoffExpired, false},
		{HandoffOpen, HandoffOpen, HandoffExpired, true},
		{HandoffFollowed, HandoffFollowed, HandoffFollowed, false},
		{HandoffExpired, HandoffExpired, HandoffExpired, false},
		{HandoffCompleted, HandoffCompleted, HandoffCompleted, false},
		{HandoffFailed, HandoffFailed, HandoffFailed, false},
	} {
		h := Handoff{State: tt.stored, ExpiresAt: end}
		last := end.Add(-time.Nanosecond)
		if h.StateAt(last) != tt.before || h.StateAt(end) != tt.from {
			t.Errorf("%s: %s, then %s", tt.stored, h.StateAt(last), h.StateAt(end))
		}
		if h.Live(last) != tt.live || h.Live(end) {
			t.Errorf("%s: live %v, then %v", tt.stored, h.Live(last), h.Live(end))
		}
	}
	for state, alive := range map[VerificationState]bool{
		VerificationOpen: true, VerificationLimited: true,
		VerificationUsed: false, VerificationExhausted: false, VerificationSuperseded: false,
	} {
		v := Verification{State: state, ExpiresAt: end}
		if v.Dead(end.Add(-time.Nanosecond)) == alive || !v.Dead(end) {
			t.Errorf("%s: dead %v, then %v", state, v.Dead(end.Add(-time.Nanosecond)), v.Dead(end))
		}
	}
}

func TestReachable(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name  string
		place Place
		want  bool
	}{
		{"nowhere", Place{}, false},
		{"never to be edited", Place{Ref: "r"}, false},
		{"no longer", Place{Ref: "r", EditableUntil: now}, false},
		{"still", Place{Ref: "r", EditableUntil: now.Add(time.Millisecond)}, true},
		{"sealed with a lost key", Place{EditableUntil: now.Add(time.Hour)}, false},
	} {
		if got := tt.place.Reachable(now); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestErrorsTellTheirClass(t *testing.T) {
	t.Parallel()
	cause := errors.New("reset")
	d := &DeliveryError{Class: TargetDead, Code: "channel_not_found", Err: cause}
	if ClassOf(fmt.Errorf("show: %w", d)) != TargetDead || !errors.Is(d, cause) {
		t.Error("the class or the cause is lost")
	}
	if ClassOf(cause) != Temporary {
		t.Error("an error of no class is not temporary")
	}
	if got := d.Error(); got != "target_dead (channel_not_found): reset" {
		t.Errorf("reads %q", got)
	}
	if got := (&DeliveryError{Class: Invalid, Code: "50035"}).Error(); got != "invalid (50035)" {
		t.Errorf("reads %q", got)
	}
	r := &RetryAfterError{After: time.Minute, Err: cause}
	if r.Error() != "reset" || !errors.Is(r, cause) {
		t.Error("the cause is lost")
	}
	if got := (&WrongCodeError{Left: 2}).Error(); strings.ContainsAny(got, "0123456789") {
		t.Errorf("reads %q", got)
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	c := CanIssue | CanRevoke
	if !c.Has(CanIssue) || !c.Has(CanIssue|CanRevoke) || c.Has(CanReplace) || c.Has(CanIssue|CanReplace) {
		t.Errorf("capabilities %b", c)
	}
}

func TestSmallWords(t *testing.T) {
	t.Parallel()
	if !(Email{}).IsZero() || (Email{Shown: "a@b.example", Normal: "a@b.example"}).IsZero() {
		t.Error("IsZero is wrong")
	}
	if got := (Person{}).MemberID(); got != "" {
		t.Errorf("a stranger is member %q", got)
	}
	if got := (Person{Account: &Account{MemberID: "m"}}).MemberID(); got != "m" {
		t.Errorf("member %q", got)
	}
	c := AwardCounts{New: 1}
	c.Add(AwardCounts{New: 1, Changed: 2, Unchanged: 3})
	if c != (AwardCounts{New: 2, Changed: 2, Unchanged: 3}) {
		t.Errorf("counts %+v", c)
	}
	if a, b := (Identity{Platform: "slack", Tenant: "T", User: "U"}).Lane(), (Identity{Platform: "slack", Tenant: "", User: "T:U"}).Lane(); a == "" || a == b {
		t.Errorf("lanes %q and %q", a, b)
	}
}
