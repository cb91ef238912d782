package discordsim

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Types of metadata
// (https://discord.com/developers/docs/resources/application-role-connection-metadata#application-role-connection-metadata-object-application-role-connection-metadata-type).
const (
	integerAtMost = iota + 1
	integerAtLeast
	integerIs
	integerIsNot
	dateAtMost
	dateAtLeast
	booleanIs
	booleanIsNot
)

// maxRecords is how many records of metadata an application may have.
const maxRecords = 5

// Requirement is what a server asks of people for a linked role: a record of
// the application's, by its key, and the value that it is compared with; for
// dates that is days before today.
type Requirement struct {
	Key   string `json:"key"`
	Value int    `json:"value"`
}

// LinkedRole is a role that people get by themselves. Without requirements it
// asks for a connection alone.
type LinkedRole struct {
	ID           string        `json:"id"`
	GuildID      string        `json:"guild_id"`
	Name         string        `json:"name"`
	Requirements []Requirement `json:"requirements"`
}

// RoleConnection is what the application says of a person.
type RoleConnection struct {
	PlatformName     string            `json:"platform_name"`
	PlatformUsername string            `json:"platform_username"`
	Metadata         map[string]string `json:"metadata"`
}

// linkedRoles are the linked roles with what they are given by. The server's
// lock guards them.
type linkedRoles struct {
	records     []object
	roles       []*linkedRole
	connections map[string]*RoleConnection
}

type linkedRole struct {
	LinkedRole
	holders []string
}

// AddLinkedRole adds a linked role to a guild and returns its id.
func (s *Server) AddLinkedRole(guildID, name string, requires ...Requirement) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.guilds[guildID] == nil {
		return "", fmt.Errorf("add linked role: unknown guild %q", guildID)
	}
	r := &linkedRole{LinkedRole: LinkedRole{ID: s.newID(), GuildID: guildID, Name: name, Requirements: append([]Requirement{}, requires...)}}
	s.linked.roles = append(s.linked.roles, r)
	s.evaluate()
	s.touch()
	return r.ID, nil
}

// HasRole reports whether a person has a linked role.
func (s *Server) HasRole(roleID, userID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.linked.roles {
		if r.ID == roleID {
			return slices.Contains(r.holders, userID)
		}
	}
	return false
}

// RoleConnectionOf returns what the application says of a person; false for
// nothing.
func (s *Server) RoleConnectionOf(userID string) (RoleConnection, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.linked.connections[userID]
	if c == nil {
		return RoleConnection{}, false
	}
	out := *c
	out.Metadata = maps.Clone(c.Metadata)
	return out, true
}

// RoleRecords returns the keys of the records that the application registered.
func (s *Server) RoleRecords() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := make([]string, 0, len(s.linked.records))
	for _, r := range s.linked.records {
		keys = append(keys, str(r, "key"))
	}
	return keys
}

// evaluate gives and takes linked roles. Discord says nothing of when it does:
// here it is when something is told, so that an application which waits for a
// date to pass by itself is found out.
func (s *Server) evaluate() {
	for _, r := range s.linked.roles {
		r.holders = nil
		for _, id := range sortedKeys(s.users) {
			if c := s.linked.connections[id]; c != nil && s.meets(c, r.Requirements) {
				r.holders = append(r.holders, id)
			}
		}
	}
}

func (s *Server) meets(c *RoleConnection, all []Requirement) bool {
	for _, q := range all {
		i := slices.IndexFunc(s.linked.records, func(r object) bool { return str(r, "key") == q.Key })
		value, told := c.Metadata[q.Key]
		if i < 0 || !told || !compares(num(s.linked.records[i], "type"), value, q.Value, s.clock.Now()) {
			return false
		}
	}
	return true
}

func compares(kind int, told string, asked int, now time.Time) bool {
	if kind == dateAtMost || kind == dateAtLeast {
		at, err := time.Parse(time.RFC3339, told)
		day := now.AddDate(0, 0, -asked)
		return err == nil && (kind == dateAtMost && !at.After(day) || kind == dateAtLeast && !at.Before(day))
	}
	n, err := strconv.Atoi(told)
	if err != nil {
		return false
	}
	switch kind {
	case integerAtMost:
		return n <= asked
	case integerAtLeast:
		return n >= asked
	case integerIs, booleanIs:
		return n == asked
	case integerIsNot, booleanIsNot:
		return n != asked
	}
	return false
}

// linkedOf are the ids of a person's linked roles in a guild.
func (s *Server) linkedOf(guildID, userID string) []any {
	out := []any{}
	for _, r := range s.linked.roles {
		if r.GuildID == guildID && slices.Contains(r.holders, userID) {
			out = append(out, r.ID)
		}
	}
	return out
}

// linkedIn are the linked roles of a guild
// (https://discord.com/developers/docs/topics/permissions#role-object-role-tags-structure).
func (s *Server) linkedIn(guildID string) []any {
	out := []any{}
	for i, r := range s.linked.roles {
		if r.GuildID == guildID {
			o := role(r.ID, r.Name, everyoneMay, i+3)
			o["tags"] = object{"guild_connections": nil}
			out = append(out, o)
		}
	}
	return out
}

// ownApplication checks the application in a path.
func (s *Server) ownApplication(c *call) *apiError {
	if c.args["app"] != s.cfg.ApplicationID {
		return errNotThisApplication()
	}
	return nil
}

// getRecords answers
// https://discord.com/developers/docs/resources/application-role-connection-metadata#get-application-role-connection-metadata-records.
func (s *Server) getRecords(c *call) (answer, *apiError) {
	if e := s.ownApplication(c); e != nil {
		return refuse(e)
	}
	out := []any{}
	for _, r := range s.linked.records {
		out = append(out, r)
	}
	return ok(out)
}

// recordKey is the form of a key.
var recordKey = regexp.MustCompile(`^[a-z0-9_]{1,50}$`)

// putRecords answers
// https://discord.com/developers/docs/resources/application-role-connection-metadata#update-application-role-connection-metadata-records.
func (s *Server) putRecords(c *call) (answer, *apiError) {
	if e := s.ownApplication(c); e != nil {
		return refuse(e)
	}
	list, isList := c.body.([]any)
	f := newForm()
	if !isList && c.body != nil {
		f.add("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType.")
		return refuse(f.err())
	}
	if len(list) > maxRecords {
		f.add("BASE_TYPE_MAX_LENGTH", fmt.Sprintf("Must be %d or fewer in length.", maxRecords))
		return refuse(f.err())
	}
	records := make([]object, 0, len(list))
	for i, v := range list {
		at := f.index(i)
		o := at.dict(v)
		key := at.text(o, "key", 1, 50)
		if key != "" && !recordKey.MatchString(key) {
			at.at("key").add("STRING_TYPE_REGEX", "String value did not match validation regex.")
		}
		if slices.ContainsFunc(records, func(r object) bool { return str(r, "key") == key }) {
			at.at("key").add("APPLICATION_ROLE_CONNECTION_METADATA_DUPLICATE_KEY", "Keys must be unique.")
		}
		if kind, there := at.number(o, "type", integerAtMost, booleanIsNot); !there {
			at.at("type").required()
		} else {
			o["type"] = kind
		}
		at.text(o, "name", 1, 100)
		at.text(o, "description", 1, 200)
		at.localized(o, "name_localizations", 100)
		at.localized(o, "description_localizations", 200)
		records = append(records, o)
	}
	if e := f.err(); e != nil {
		return refuse(e)
	}
	s.linked.records = records
	s.evaluate()
	s.touch()
	return s.getRecords(c)
}

// localized checks a dictionary of translations.
func (f field) localized(o object, key string, most int) {
	v, there := o[key]
	if !there || v == nil {
		return
	}
	at := f.at(key)
	for locale, text := range at.dict(v) {
		if !slices.Contains(locales, locale) {
			at.at(locale).add("BASE_TYPE_CHOICES", "Value is no known locale.")
		}
		at.text(object{locale: text}, locale, 1, most)
	}
}

// getRoleConnection answers
// https://discord.com/developers/docs/resources/user#get-current-user-application-role-connection.
func (s *Server) getRoleConnection(c *call) (answer, *apiError) {
	if e := s.ownApplication(c); e != nil {
		return refuse(e)
	}
	out := object{"platform_name": "", "platform_username": nil, "metadata": object{}}
	if known := s.linked.connections[c.user]; known != nil {
		metadata := object{}
		for k, v := range known.Metadata {
			metadata[k] = v
		}
		out["platform_name"], out["metadata"] = known.PlatformName, metadata
		if known.PlatformUsername != "" {
			out["platform_username"] = known.PlatformUsername
		}
	}
	return ok(out)
}

// putRoleConnection answers
// https://discord.com/developers/docs/resources/user#update-current-user-application-role-connection.
// Metadata without content are taken and passed over, as people report of
// Discord.
func (s *Server) putRoleConnection(c *call) (answer, *apiError) {
	if e := s.ownApplication(c); e != nil {
		return refuse(e)
	}
	body, e := c.object()
	if e != nil {
		return refuse(e)
	}
	f := newForm()
	told := RoleConnection{
		PlatformName: f.text(body, "platform_name", 0, 50), PlatformUsername: f.text(body, "platform_username", 0, 100), Metadata: map[string]string{},
	}
	if v := body["metadata"]; v != nil {
		at := f.at("metadata")
		all := at.dict(v)
		if len(all) > maxRecords {
			at.add("BASE_TYPE_MAX_LENGTH", fmt.Sprintf("Must be %d or fewer in length.", maxRecords))
		}
		for key := range all {
			told.Metadata[key] = at.text(all, key, 1, 100)
		}
	}
	if e := f.err(); e != nil {
		return refuse(e)
	}
	if len(told.Metadata) > 0 {
		s.linked.connections[c.user] = &told
		s.evaluate()
		s.touch()
	}
	return s.getRoleConnection(c)
}

// deleteRoleConnection answers
// https://discord.com/developers/docs/resources/user#delete-current-user-application-role-connection.
func (s *Server) deleteRoleConnection(c *call) (answer, *apiError) {
	if e := s.ownApplication(c); e != nil {
		return refuse(e)
	}
	delete(s.linked.connections, c.user)
	s.evaluate()
	s.touch()
	return noContent()
}

// shownRoles are the linked roles as the page shows them.
func (s *Server) shownRoles() []ConsoleRole {
	out := []ConsoleRole{}
	for _, r := range s.linked.roles {
		shown := ConsoleRole{LinkedRole: r.LinkedRole, Asks: []string{}, Holders: append([]string{}, r.holders...)}
		for _, q := range r.Requirements {
			shown.Asks = append(shown.Asks, s.inWords(q))
		}
		out = append(out, shown)
	}
	return out
}

// inWords says a requirement as Discord does: the record's name, and what it is
// compared with.
func (s *Server) inWords(q Requirement) string {
	for _, r := range s.linked.records {
		if str(r, "key") != q.Key {
			continue
		}
		name := str(r, "name")
		switch num(r, "type") {
		case booleanIs:
			return name
		case booleanIsNot:
			return "not " + name
		case dateAtLeast:
			if q.Value == 0 {
				return name + ": today or later"
			}
			return fmt.Sprintf("%s: %d days before today or later", name, q.Value)
		case integerAtLeast:
			return fmt.Sprintf("%s: %d or more", name, q.Value)
		}
		return fmt.Sprintf("%s: %d", name, q.Value)
	}
	return fmt.Sprintf("%s (not registered by the app yet)", q.Key)
}
