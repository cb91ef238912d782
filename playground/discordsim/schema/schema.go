// Package schema validates JSON against Discord's published API description
// (https://github.com/discord/discord-api-spec, OpenAPI 3.1). The description
// misses limits of Discord's documentation, see the package discordsim for
// those.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Set is a loaded API description. It is safe for concurrent use.
type Set struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

// resource is the name under which the description is known to the compiler.
const resource = "discord:openapi"

// Load reads an API description (openapi.json).
func Load(path string) (*Set, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read API description: %w", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("decode API description: %w", err)
	}
	c := jsonschema.NewCompiler()
	// OpenAPI 3.1 schemas are of the 2020-12 draft.
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource(resource, doc); err != nil {
		return nil, fmt.Errorf("add API description: %w", err)
	}
	return &Set{compiler: c, compiled: map[string]*jsonschema.Schema{}}, nil
}

// Validate holds a decoded value (of encoding/json, numbers as float64 or
// json.Number) against #/components/schemas/name. The error names the places
// that do not fit, or says that there is no such schema.
func (s *Set) Validate(name string, doc any) error {
	sch, err := s.schema(name)
	if err != nil {
		return fmt.Errorf("compile schema %s: %w", name, err)
	}
	if err := sch.Validate(doc); err != nil {
		return fmt.Errorf("validate %s: %w", name, err)
	}
	return nil
}

// schema compiles a schema once.
func (s *Set) schema(name string) (*jsonschema.Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sch := s.compiled[name]; sch != nil {
		return sch, nil
	}
	sch, err := s.compiler.Compile(resource + "#/components/schemas/" + name)
	if err != nil {
		return nil, err
	}
	s.compiled[name] = sch
	return sch, nil
}

// ValidateJSON is Validate for a JSON text or for any value that encodes to
// JSON.
func (s *Set) ValidateJSON(name string, v any) error {
	data, isText := v.([]byte)
	if !isText {
		var err error
		if data, err = json.Marshal(v); err != nil {
			return fmt.Errorf("encode for schema %s: %w", name, err)
		}
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("decode for schema %s: %w", name, err)
	}
	return s.Validate(name, doc)
}
