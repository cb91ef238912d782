package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

const (
	// maxVerified is how many badges of one message are verified.
	maxVerified = 3
	// verifyWithin bounds one question, files and all fetches included.
	verifyWithin = 10 * time.Second
	// fileWithin is what of that a shared file may take to come.
	fileWithin = 5 * time.Second
	// verdictPictureWithin is how long a verdict waits for the badge's picture.
	verdictPictureWithin = 3 * time.Second
	// verifiedAtOnce bounds how many badges one process verifies at a time,
	// and with it the memory that files take.
	verifiedAtOnce = 8
	// verifyPage is where this service's own page takes a badge.
	verifyPage = "/verify?"
	// maxLink is the longest link that is taken.
	maxLink = 4000
)

// verifyRate is how many badges one person may have verified: each of them
// makes this service fetch what a stranger wrote.
var verifyRate = core.Rate{Interval: 6 * time.Second, Burst: 10}

// inquiry is one badge that somebody asks about.
type inquiry struct {
	// id is empty while it is not stored.
	id   string
	link string
	file *FileRef
}

// storedInquiry is an inquiry as it lies sealed in the store, bound to who
// asked.
type storedInquiry struct {
	By   string `json:"by"`
	Link string `json:"link,omitempty"`
	File string `json:"file,omitempty"`
	Name string `json:"name,omitempty"`
	Size int64  `json:"size,omitempty"`
}

// verify answers whether badges are genuine. Anybody may ask.
func (s *Service) verify(ctx context.Context, w Words, a Action) (Answer, error) {
	if a.Source == SourcePress && a.Arg != "" {
		return s.again(ctx, w, a, "", Aside)
	}
	list := s.inquiries(a)
	if len(list) == 0 {
		card := nothingToVerify(w, a)
		return Answer{Card: &card, Where: asideOfPress(a)}, nil
	}
	return s.looking(ctx, w, a, list, "", Here)
}

// recipient asks for an address, or verifies a badge again with it. The
// address goes to the verifier and nowhere else.
func (s *Service) recipient(ctx context.Context, w Words, a Action) (Answer, error) {
	if a.Source == SourcePress {
		return Answer{Form: recipientForm(w, a.Arg)}, nil
	}
	address := strings.TrimSpace(a.Fields[fieldRecipient])
	if address == "" || len(address) > core.MaxAddressBytes {
		sentence := w.Plain("verify.recipient.empty", nil)
		card := Card{
			Tone: ToneWarn, Title: w.Plain("verify.recipient.title", nil), Summary: sentence, Text: Plain(sentence),
			Buttons: []Button{{ID: ID(VerbRecipient, a.Arg), Label: w.Plain("button.try_again", nil), Style: StylePrimary}},
		}
		return Answer{FieldErrors: map[string]string{fieldRecipient: sentence}, Card: &card, Where: Aside}, nil
	}
	return s.again(ctx, w, a, address, Here)
}

// again verifies what a button or form is about.
func (s *Service) again(ctx context.Context, w Words, a Action, recipient string, where Where) (Answer, error) {
	in, err := s.inquired(ctx, a)
	if errors.Is(err, core.ErrNotFound) {
		card := overCard(w)
		return Answer{Card: &card, Where: Aside}, nil
	}
	if err != nil {
		return Answer{}, err
	}
	return s.looking(ctx, w, a, []inquiry{in}, recipient, where)
}

// inquiries are what an action asks about: files first, because whoever
// shares one means it, then links.
func (s *Service) inquiries(a Action) []inquiry {
	var list []inquiry
	for i := range a.Files {
		list = append(list, inquiry{file: &a.Files[i]})
	}
	links := a.Links
	if a.Source == SourceCommand {
		links = append(linksIn(a.Arg), links...)
	}
	for _, l := range links {
		l = s.meant(l)
		if len(l) <= maxLink && !slices.ContainsFunc(list, func(in inquiry) bool { return in.link == l }) {
			list = append(list, inquiry{link: l})
		}
	}
	return list[:min(len(list), maxVerified)]
}

// meant is the badge behind a link to this service's own page of verdicts, and
// any other link as it is.
func (s *Service) meant(link string) string {
	query, ours := strings.CutPrefix(link, s.Composer.PublicURL+verifyPage)
	if !ours {
		return link
	}
	if values, err := url.ParseQuery(query); err == nil && values.Get("badge") != "" {
		return values.Get("badge")
	}
	return link
}

// LinkIn returns the first link to a badge, or the first signed token, in what a
// person typed, with its scheme; "" where there is none.
func LinkIn(text string) string {
	if found := linksIn(text); len(found) > 0 {
		return found[0]
	}
	return ""
}

// linksIn finds what a person typed as a link: with or without the scheme,
// or a badge that is a signed token.
func linksIn(text string) []string {
	var found []string
	for word := range strings.FieldsSeq(text) {
		word, _, _ = strings.Cut(strings.Trim(word, "<>\"'`"), "|")
		lower := strings.ToLower(word)
		switch {
		case strings.HasPrefix(lower, "https://"), strings.HasPrefix(lower, "http://"):
		case strings.HasPrefix(word, "ey") && strings.Count(word, ".") == 2 && !strings.Contains(word, "/"):
		case !strings.Contains(word, "://") && bareLink(word):
			word = "https://" + word
		default:
			continue
		}
		found = append(found, word)
	}
	return found
}

// bareLink reports whether a word reads as the address of a page without its
// scheme, e.g. www.credly.com/badges/1.
func bareLink(word string) bool {
	host, path, _ := strings.Cut(word, "/")
	u, err := url.Parse("https://" + word)
	return err == nil && path != "" && u.Host == host && u.User == nil && strings.Contains(strings.Trim(host, "."), ".")
}

// inquired finds what a button or form is about, for who asked it.
func (s *Service) inquired(ctx context.Context, a Action) (inquiry, error) {
	sealed, err := s.Store.Inquiry(ctx, a.Arg)
	if err != nil {
		return inquiry{}, err
	}
	plain, err := s.Composer.Keys.Open(sealed, core.InquiryContext(a.Arg))
	if err != nil {
		return inquiry{}, core.ErrNotFound
	}
	var stored storedInquiry
	if err := json.Unmarshal([]byte(plain), &stored); err != nil || stored.By != ownerMark(a.Actor) {
		return inquiry{}, core.ErrNotFound
	}
	in := inquiry{id: a.Arg, link: stored.Link}
	if stored.File != "" {
		in.file = &FileRef{Name: stored.Name, Size: stored.Size, Ref: core.Secret(stored.File)}
	}
	return in, nil
}

// keep stores an inquiry, so that the buttons of its answer can find it.
func (s *Service) keep(ctx context.Context, a Action, in *inquiry) error {
	if in.id != "" {
		return nil
	}
	stored := storedInquiry{By: ownerMark(a.Actor), Link: in.link}
	if in.file != nil {
		stored.File, stored.Name, stored.Size = in.file.Ref.Reveal(), clip(in.file.Name, maxBadgeText), in.file.Size
	}
	data, err := json.Marshal(stored)
	if err != nil {
		return fmt.Errorf("encode inquiry: %w", err)
	}
	id := core.NewID()
	if err := s.Store.SaveInquiry(ctx, id, s.Composer.Keys.Seal(string(data), core.InquiryContext(id)), s.Clock.Now()); err != nil {
		return err
	}
	in.id = id
	return nil
}

// looking says that badges are being looked at, and looks.
func (s *Service) looking(ctx context.Context, w Words, a Action, list []inquiry, recipient string, where Where) (Answer, error) {
	now := s.Clock.Now()
	from, err := s.Limits.TakePermits(ctx, "verify:"+ownerMark(a.Actor), now, len(list), verifyRate, 0)
	if errors.Is(err, core.ErrUnmet) {
		card := tooManyVerified(w, from)
		return Answer{Card: &card, Where: asideOfPress(a)}, nil
	}
	if err != nil {
		return Answer{}, err
	}
	for i := range list {
		if err := s.keep(ctx, a, &list[i]); err != nil {
			return Answer{}, err
		}
	}
	card := checkingCard(w, len(list))
	return Answer{Card: &card, Where: where, Then: func(ctx context.Context) (answer Answer) {
		// Nothing watches over what follows an answer.
		defer func() {
			if p := recover(); p != nil {
				s.Log.ErrorContext(ctx, "panic in verdict", "stack", string(debug.Stack()))
				answer = s.explain(ctx, a, errors.New("panic"))
			}
		}()
		return s.looked(ctx, w, a, list, recipient, where)
	}}, nil
}

// looked verifies badges, the ones beside the others, and makes the card.
func (s *Service) looked(ctx context.Context, w Words, a Action, list []inquiry, recipient string, where Where) Answer {
	ctx, cancel := context.WithTimeout(ctx, verifyWithin)
	defer cancel()
	found := make([]finding, len(list))
	done := make(chan struct{})
	for i, in := range list {
		go func() {
			defer func() { done <- struct{}{} }()
			found[i] = s.find(ctx, w, a.Actor.Platform, in, recipient)
		}()
	}
	for range list {
		<-done
	}
	var card Card
	if len(found) == 1 {
		card = s.Composer.verdictCard(w, found[0], recipient != "")
	} else {
		card = s.Composer.verdictsCard(w, found)
	}
	return Answer{Card: &card, Where: where}
}

// finding is what came of one inquiry: a verdict, or what kept the file from
// being looked at.
type finding struct {
	inquiry
	verdict core.Verdict
	trouble string
	// image is the badge's picture, where there is one that can be shown.
	image Image
}

// Why there is no verdict on a file; part of the ids of sentences.
const (
	troubleLarge = "large"
	troubleFile  = "file"
	troubleFetch = "fetch"
	troubleBusy  = "busy"
)

// find verifies one badge. A mistake in reading what a stranger made is told
// like a badge that cannot be understood, and ends nothing else.
func (s *Service) find(ctx context.Context, w Words, p core.Platform, in inquiry, recipient string) (f finding) {
	f.inquiry = in
	defer func() {
		if r := recover(); r != nil {
			// The value may hold what the person sent, so it is not logged.
			s.Log.ErrorContext(ctx, "panic in verification", "stack", string(debug.Stack()))
			f.verdict, f.trouble = core.Verdict{Status: core.VerdictUnknown, CheckedAt: s.Clock.Now()}, ""
		}
	}()
	if !s.begin(ctx) {
		f.trouble = troubleBusy
		return f
	}
	defer s.end()
	q := core.BadgeQuery{Link: in.link, Recipient: recipient}
	if in.file != nil {
		if q.File, f.trouble = s.open(ctx, p, *in.file); f.trouble != "" {
			return f
		}
	}
	f.verdict = s.Verifier.Verify(ctx, q)
	f.image = s.verdictPicture(ctx, w, f.verdict)
	return f
}

// verdictPicture is an address of Laurel's own for the picture that a badge names.
// It was fetched before: a platform refuses a whole message for a picture that
// does not come, and a badge could keep its own verdict from being shown.
func (s *Service) verdictPicture(ctx context.Context, w Words, v core.Verdict) Image {
	if s.Gallery == nil || v.Achievement.Image == "" {
		return Image{}
	}
	token := s.Gallery.Token(v.Achievement.Image)
	if token == "" {
		return Image{}
	}
	ctx, cancel := context.WithTimeout(ctx, verdictPictureWithin)
	defer cancel()
	if _, err := s.Gallery.Pictures.VerdictPicture(ctx, v.Achievement.Image); err != nil {
		return Image{}
	}
	return Image{URL: s.Composer.PublicURL + "/v/" + token, Alt: w.Plain("verify.image", nil)}
}

// open reads a shared file, or says why it cannot.
func (s *Service) open(ctx context.Context, p core.Platform, file FileRef) (data []byte, trouble string) {
	files := s.Files[p]
	if files == nil {
		return nil, troubleFile
	}
	if file.Size > core.MaxBadgeFileBytes {
		return nil, troubleLarge
	}
	ctx, cancel := context.WithTimeout(ctx, fileWithin)
	defer cancel()
	data, err := files.File(ctx, file)
	switch {
	case errors.Is(err, ErrFileTooLarge):
		return nil, troubleLarge
	case errors.Is(err, ErrNoFile):
		return nil, troubleFile
	case err != nil:
		s.Log.WarnContext(ctx, "open shared file", "platform", p, "err", err)
		return nil, troubleFetch
	}
	return data, ""
}

// begin waits for a free place among the badges that are looked at.
func (s *Service) begin(ctx context.Context) bool {
	s.verifying.once.Do(func() { s.verifying.places = make(chan struct{}, verifiedAtOnce) })
	select {
	case s.verifying.places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *Service) end() { <-s.verifying.places }
