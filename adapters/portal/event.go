package portal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core"
)

// EventType is a kind of event of the certification body's system.
type EventType string

// Event types.
const (
	AwardGranted   EventType = "award.granted"
	AwardChanged   EventType = "award.changed"
	AwardWithdrawn EventType = "award.withdrawn"
	PersonErased   EventType = "person.erased"
)

// maxEventType is the longest event type read, in bytes.
const maxEventType = 100

// ErrUnknownType says that an event is well formed but of a type that is not
// known here.
var ErrUnknownType = errors.New("unknown event type")

// Event is one event of the certification body's system.
type Event struct {
	Type EventType
	// At is the body's own time of the event.
	At time.Time
	// Award is set for granted and changed; its DecidedAt is At.
	Award core.Award
	// Withdrawn is the award's id, and Reason the body's word for it, for
	// withdrawn.
	Withdrawn, Reason string
	// Erase is set for erased.
	Erase core.Email
}

// awardBody is the data of award.granted and award.changed.
type awardBody struct {
	AwardID   string `json:"award_id"`
	Recipient struct {
		Email     string `json:"email"`
		FirstName string `json:"first_name"`
		LastName  string `json:"last_name"`
		Locale    string `json:"locale"`
	} `json:"recipient"`
	TemplateID  string `json:"badge_template_id"`
	IssuedAt    string `json:"issued_at"`
	ExpiresAt   string `json:"expires_at"`
	Certificate struct {
		Number string `json:"number"`
		URL    string `json:"url"`
	} `json:"certificate"`
}

// eventFields are the names of fields in events where they differ from those
// in files.
var eventFields = map[string]string{
	fieldAwardID:           "data.award_id",
	fieldEmail:             "data.recipient.email",
	fieldFirstName:         "data.recipient.first_name",
	fieldLastName:          "data.recipient.last_name",
	fieldLocale:            "data.recipient.locale",
	fieldTemplateID:        "data.badge_template_id",
	fieldIssuedAt:          "data.issued_at",
	fieldExpiresAt:         "data.expires_at",
	fieldCertificateNumber: "data.certificate.number",
	fieldCertificateURL:    "data.certificate.url",
}

// DecodeEvent reads the body of a webhook and checks it fully. Errors:
// [FieldError] naming the first wrong field, [ErrUnknownType] with the event's
// type and time set. Unknown fields are ignored. No error repeats a value.
func DecodeEvent(payload []byte) (Event, error) {
	if !utf8.Valid(payload) {
		return Event{}, &FieldError{"body", "is not UTF-8"}
	}
	var body struct {
		Type      string          `json:"type"`
		Timestamp string          `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}
	if err := decode("", payload, &body); err != nil {
		return Event{}, err
	}
	switch {
	case body.Type == "":
		return Event{}, &FieldError{"type", "is missing"}
	case len(body.Type) > maxEventType:
		return Event{}, &FieldError{"type", "is too long"}
	}
	at, reason := parseTime(body.Timestamp, true)
	if reason != "" {
		return Event{}, &FieldError{"timestamp", reason}
	}
	e := Event{Type: EventType(body.Type), At: at}
	var err error
	switch e.Type {
	case AwardGranted, AwardChanged:
		err = e.readAward(body.Data)
	case AwardWithdrawn:
		err = e.readWithdrawn(body.Data)
	case PersonErased:
		err = e.readErased(body.Data)
	default:
		err = ErrUnknownType
	}
	return e, err
}

func (e *Event) readAward(data json.RawMessage) error {
	var d awardBody
	if err := decode("data", data, &d); err != nil {
		return err
	}
	award, wrong := rawAward{
		awardID: d.AwardID, email: d.Recipient.Email, firstName: d.Recipient.FirstName, lastName: d.Recipient.LastName,
		locale: d.Recipient.Locale, templateID: d.TemplateID, issuedAt: d.IssuedAt, expiresAt: d.ExpiresAt,
		certificateNumber: d.Certificate.Number, certificateURL: d.Certificate.URL,
	}.parse()
	if len(wrong) > 0 {
		return &FieldError{eventFields[wrong[0].Field], wrong[0].Reason}
	}
	award.DecidedAt = e.At
	e.Award = award
	return nil
}

func (e *Event) readWithdrawn(data json.RawMessage) error {
	var d struct {
		AwardID string `json:"award_id"`
		Reason  string `json:"reason"`
	}
	if err := decode("data", data, &d); err != nil {
		return err
	}
	var wrong string
	if e.Withdrawn, wrong = parseAwardID(d.AwardID); wrong != "" {
		return &FieldError{"data.award_id", wrong}
	}
	if e.Reason, wrong = parseText(d.Reason, maxReason); wrong != "" {
		return &FieldError{"data.reason", wrong}
	}
	return nil
}

func (e *Event) readErased(data json.RawMessage) error {
	var d struct {
		Email string `json:"email"`
	}
	if err := decode("data", data, &d); err != nil {
		return err
	}
	var wrong string
	if e.Erase, wrong = parseAddress(d.Email); wrong != "" {
		return &FieldError{"data.email", wrong}
	}
	return nil
}

// decode reads a JSON object found at the field named by prefix, the whole
// body when empty.
func decode(prefix string, raw []byte, into any) error {
	name := prefix
	if name == "" {
		name = "body"
	}
	switch trimmed := bytes.TrimSpace(raw); {
	case len(trimmed) == 0 || string(trimmed) == "null":
		return &FieldError{name, "is missing"}
	case trimmed[0] != '{':
		return &FieldError{name, "is not an object"}
	}
	err := json.Unmarshal(raw, into)
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		if prefix != "" {
			prefix += "."
		}
		return &FieldError{prefix + wrongType.Field, fmt.Sprintf("has the wrong type, want %s", wantedType(wrongType))}
	case err != nil:
		return &FieldError{name, "is not valid JSON"}
	}
	return nil
}

func wantedType(e *json.UnmarshalTypeError) string {
	if e.Type.String() == "string" {
		return "text"
	}
	return "an object"
}
