package openbadges

import (
	"embed"
	"encoding/json"
	"path"
	"sync"
)

// The contexts lie here as their publishers serve them; contexts/README.md
// says where each is from and under which licence.
//
//go:embed contexts/*.json
var contextFiles embed.FS

// contextNames say which file holds which context. Several addresses may
// stand for one: those without a version are that of version 3.0.0.
var contextNames = map[string]string{
	"https://www.w3.org/ns/credentials/v2":                           "credentials-v2.json",
	"https://www.w3.org/2018/credentials/v1":                         "credentials-v1.json",
	"https://www.w3.org/ns/credentials/examples/v2":                  "credentials-examples-v2.json",
	"https://w3id.org/security/data-integrity/v1":                    "data-integrity-v1.json",
	"https://w3id.org/security/data-integrity/v2":                    "data-integrity-v2.json",
	"https://w3id.org/security/suites/ed25519-2020/v1":               "ed25519-2020-v1.json",
	"https://w3id.org/security/multikey/v1":                          "multikey-v1.json",
	"https://w3id.org/vc/status-list/2021/v1":                        "status-list-2021-v1.json",
	"https://w3id.org/citizenship/v4rc1":                             "citizenship-v4rc1.json",
	"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json":     "ob-3.0.3.json",
	"https://purl.imsglobal.org/spec/ob/v3p0/context.json":           "ob-3.0.0.json",
	"https://purl.imsglobal.org/spec/ob/v3p0/context/ob_v3p0.jsonld": "ob-3.0.0.json",
	"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json":     "ob-3.0.2.json",
	"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json":     "ob-3.0.1.json",
	"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.0.json":     "ob-3.0.0.json",
	"https://purl.imsglobal.org/spec/ob/v3p0/extensions.json":        "ob-extensions.json",
}

// errUnknownContext says that a context is not among those that are known.
type errUnknownContext struct{ address string }

// Error names the context.
func (e *errUnknownContext) Error() string { return "unknown context " + shown(e.address) }

// embedded gives the contexts of this package, each decoded once.
type embedded struct {
	mu   sync.Mutex
	docs map[string]any
}

// EmbeddedContexts returns the loader that production uses, for those who add
// contexts of their own to it.
func EmbeddedContexts() ContextLoader { return &embedded{docs: map[string]any{}} }

// Context returns a known context.
func (e *embedded) Context(address string) (any, error) {
	name, ok := contextNames[address]
	if !ok {
		return nil, &errUnknownContext{address: address}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if doc, ok := e.docs[name]; ok {
		return doc, nil
	}
	data, err := contextFiles.ReadFile(path.Join("contexts", name))
	if err != nil {
		return nil, &errUnknownContext{address: address}
	}
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, &errUnknownContext{address: address}
	}
	e.docs[name] = doc
	return doc, nil
}
