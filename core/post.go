package core

// SubjectKind says what a message shows.
type SubjectKind string

// Subject kinds, with the meaning of [Subject.ID].
const (
	// SubjectHandoff: the claim of a badge; the handoff's id.
	SubjectHandoff SubjectKind = "handoff"
	// SubjectBadge: how a badge stands; the badge's id.
	SubjectBadge SubjectKind = "badge"
	// SubjectVerification: the proof of an address; the verification's id.
	SubjectVerification SubjectKind = "verification"
	// SubjectJoined: another account joined the member; that account's id.
	SubjectJoined SubjectKind = "joined"
	// SubjectReminder: what a person is reminded of on a day; see
	// [ReminderID].
	SubjectReminder SubjectKind = "reminder"
	// SubjectConsent: whether a team may know of badges; the id of a question,
	// see [Consent].
	SubjectConsent SubjectKind = "consent"
	// SubjectCelebration: badges that a team may know of; the id of a batch,
	// see [Consent].
	SubjectCelebration SubjectKind = "celebration"
	// SubjectDigest: how the badges do; the id of a [DigestIssue].
	SubjectDigest SubjectKind = "digest"
	// SubjectHome: everything at a glance, see [HomeKey]; the account's id, or
	// since when it shows something else that was asked for there.
	SubjectHome SubjectKind = "home"
	// SubjectRoles: how a person's roles stand; the id of the account.
	SubjectRoles SubjectKind = "roles"
	// SubjectTasks: what there is to do for all badges of a person; the id of
	// the account that asked, see [Task].
	SubjectTasks SubjectKind = "tasks"
)

// Subject is what a message shows. The card is made from it when the message
// is sent, from what is true then.
type Subject struct {
	Kind SubjectKind
	ID   string
}

// Post is one message in a chat that shows something that can change.
type Post struct {
	ID      string
	Account Account
	Subject Subject
	Place   Place
	// Tried says that somebody tried to show it before, and may have done so
	// without living to tell.
	Tried bool
	// Gone says that it was shown, and that the message is there no more.
	Gone bool
}
