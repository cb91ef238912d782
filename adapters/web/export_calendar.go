package web

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// calendarAlarms are the days before an end on which a calendar reminds.
func calendarAlarms() []int { return []int{90, 30, 7} }

// calendarEvery is how often a calendar asks again, as
// https://www.rfc-editor.org/rfc/rfc7986#section-5.7 writes it.
const calendarEvery = "P1D"

// maxCalendarName is the longest name that is taken, in characters.
const maxCalendarName = 200

// writeCalendar writes the ends of what is held as whole days
// (https://www.rfc-editor.org/rfc/rfc5545#section-3.6.1). The same certificate
// has the same UID for ever. Because its address lives long, a calendar says
// least: the name, the day, and the public page where there is one.
func writeCalendar(w chat.Words, k core.Kept) ([]byte, error) {
	cal := ics.NewCalendar()
	cal.SetProductId("-//Laurel//Certificates//" + w.Lang())
	cal.SetMethod(ics.MethodPublish)
	cal.SetCalscale("GREGORIAN")
	cal.SetName(w.Plain("calendar.name", nil))
	cal.SetRefreshInterval(calendarEvery)
	cal.SetXPublishedTTL(calendarEvery)
	for _, c := range k.Own {
		if c.ExpiresAt.IsZero() || !c.Validity.Held() {
			continue
		}
		args := chat.Args{"Badge": calendarName(w, c)}
		day := c.ExpiresAt.UTC()
		e := cal.AddEvent(c.ID)
		e.SetDtStampTime(k.At)
		e.SetAllDayStartAt(day)
		e.SetAllDayEndAt(day.AddDate(0, 0, 1))
		e.SetSummary(w.Plain("calendar.summary", args))
		e.SetTimeTransparency(ics.TransparencyTransparent)
		if c.Validity != core.ValidityExpired {
			e.SetDescription(w.Plain("calendar.text", nil))
			addAlarms(e, w, c, args)
		}
		if c.PageURL != "" {
			e.SetURL(c.PageURL)
		}
	}
	var b bytes.Buffer
	if err := cal.SerializeTo(&b, ics.WithNewLineWindows); err != nil {
		return nil, fmt.Errorf("write calendar: %w", err)
	}
	return b.Bytes(), nil
}

// addAlarms adds those that are still to come.
func addAlarms(e *ics.VEvent, w chat.Words, c core.Credential, args chat.Args) {
	for _, days := range calendarAlarms() {
		if c.Days < days {
			continue
		}
		a := e.AddAlarm()
		a.SetAction(ics.ActionDisplay)
		// At nine in the morning: the day begins at midnight of whoever looks.
		a.SetTrigger("-" + duration(time.Duration(days)*24*time.Hour-9*time.Hour))
		args["Count"] = days
		a.SetProperty(ics.ComponentPropertyDescription, w.Plain("calendar.alarm", args))
	}
}

// duration writes whole hours as calendars do
// (https://www.rfc-editor.org/rfc/rfc5545#section-3.3.6).
func duration(d time.Duration) string {
	hours := int(d / time.Hour)
	return "P" + strconv.Itoa(hours/24) + "DT" + strconv.Itoa(hours%24) + "H"
}

func calendarName(w chat.Words, c core.Credential) string {
	name := []rune(printable(w.CredentialName(c)))
	return string(name[:min(len(name), maxCalendarName)])
}
