package credly

import "sync"

// maxRemembered bounds each kind of what is remembered.
const maxRemembered = 50_000

// memory keeps what earlier answers taught, to spare requests. It holds no
// personal data and losing it costs only requests.
type memory struct {
	mu sync.Mutex
	// earners are issuer_earner_ids by badge id.
	earners map[string]string
	// duplicates says of templates whether Credly lets one person have two.
	duplicates map[string]bool
	single     singleRead
}

// singleRead is what is known of the unconfirmed endpoint for one badge.
type singleRead int

const (
	singleUnknown singleRead = iota
	singleWorks
	singleMissing
)

func newMemory() *memory {
	return &memory{earners: map[string]string{}, duplicates: map[string]bool{}}
}

// learn takes what a badge tells.
func (m *memory) learn(b badgeData) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.earners) >= maxRemembered {
		clear(m.earners)
	}
	if b.IssuerEarnerID != "" {
		m.earners[string(b.ID)] = string(b.IssuerEarnerID)
	}
	m.learnTemplate(b.Template)
}

// learnTemplate takes what a template tells; mu is held.
func (m *memory) learnTemplate(t templateData) {
	if t.ID == "" || t.AllowDuplicates == nil {
		return
	}
	if len(m.duplicates) >= maxRemembered {
		clear(m.duplicates)
	}
	m.duplicates[string(t.ID)] = *t.AllowDuplicates
}

func (m *memory) learnTemplates(all []templateData) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range all {
		m.learnTemplate(t)
	}
}

func (m *memory) earner(badgeID string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.earners[badgeID]
}

// refusesDuplicates reports whether Credly itself is known to refuse a
// second badge of the template for one person.
func (m *memory) refusesDuplicates(templateID string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	allowed, known := m.duplicates[templateID]
	return known && !allowed
}

func (m *memory) singleRead() singleRead {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.single
}

func (m *memory) setSingleRead(s singleRead) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.single = s
}
