package discordsim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// answerSchemas names, by the path of a route, the schemas that its good
// answers follow: one of them, or with [] before it each element of a list.
var answerSchemas = map[string][]string{
	"/gateway":                {"GatewayResponse"},
	"/gateway/bot":            {"GatewayBotResponse"},
	"/users/@me":              {"UserPIIResponse"},
	"/users/{user}":           {"UserResponse"},
	"/applications/@me":       {"PrivateApplicationResponse"},
	"/users/@me/channels":     {"PrivateChannelResponse"},
	"/guilds/{guild}":         {"GuildWithCountsResponse"},
	"/channels/{channel}":     {"GuildChannelResponse", "PrivateChannelResponse"},
	"/webhooks/{app}/{token}": {"MessageResponse"},

	"/guilds/{guild}/channels":                              {"[]GuildChannelResponse"},
	"/guilds/{guild}/roles":                                 {"[]GuildRoleResponse"},
	"/guilds/{guild}/members/{user}":                        {"GuildMemberResponse"},
	"/channels/{channel}/messages":                          {"MessageResponse", "[]MessageResponse"},
	"/channels/{channel}/messages/{message}":                {"MessageResponse"},
	"/webhooks/{app}/{token}/messages/{message}":            {"MessageResponse"},
	"/interactions/{interaction}/{token}/callback":          {"InteractionCallbackResponse"},
	"/applications/{app}/commands":                          {"ApplicationCommandResponse", "[]ApplicationCommandResponse"},
	"/applications/{app}/commands/{command}":                {"ApplicationCommandResponse"},
	"/applications/{app}/guilds/{guild}/commands":           {"ApplicationCommandResponse", "[]ApplicationCommandResponse"},
	"/applications/{app}/guilds/{guild}/commands/{command}": {"ApplicationCommandResponse"},
	"/applications/{app}/role-connections/metadata":         {"[]ApplicationRoleConnectionsMetadataItemResponse"},
	"/users/@me/applications/{app}/role-connection":         {"ApplicationUserRoleConnectionResponse"},
	"/oauth2/applications/@me":                              {"PrivateApplicationResponse"},
}

// checkAnswer notes an answer of the simulator that Discord's API description
// does not know. The caller holds the lock.
func (s *Server) checkAnswer(r *route, body []byte) {
	if s.cfg.Schema == nil {
		return
	}
	v, err := decodeJSON(body)
	if err != nil {
		s.violate(r, err)
		return
	}
	list, isList := v.([]any)
	for _, name := range answerSchemas[r.path] {
		element, ofList := strings.CutPrefix(name, "[]")
		if ofList != isList {
			continue
		}
		err = nil
		if !isList {
			list = []any{v}
		}
		for _, one := range list {
			if err == nil {
				err = s.cfg.Schema.Validate(element, one)
			}
		}
		if err == nil {
			return
		}
	}
	if err == nil {
		err = errors.New("no schema is named for it")
	}
	s.violate(r, err)
}

// checkRefusal does the same for an error without field errors: the
// description wants numbers for the codes of those, while Discord's
// documentation and answers have words.
func (s *Server) checkRefusal(r *route, e *apiError) {
	if s.cfg.Schema == nil || len(e.errors) > 0 {
		return
	}
	v, err := decodeJSON(encode(e.body()))
	if err == nil {
		err = s.cfg.Schema.Validate("ErrorResponse", v)
	}
	if err != nil {
		s.violate(r, err)
	}
}

func (s *Server) violate(r *route, err error) {
	s.violations = append(s.violations, fmt.Sprintf("%s %s: %v", r.method, r.path, err))
}

// Violations lists the answers of the simulator itself that Config.Schema
// refused. A test that sets a schema expects none at its end.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}
