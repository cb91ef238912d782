package discordsim

import "strings"

// The gateway's WebSocket is not simulated: these answers say where it would
// be. Interactions leave through Server.dispatch, the one place that a
// gateway would have to join.

func (s *Server) getGateway(*call) (answer, *apiError) {
	return ok(object{"url": s.gatewayURL()})
}

func (s *Server) getGatewayBot(*call) (answer, *apiError) {
	return ok(object{
		"url": s.gatewayURL(), "shards": 1,
		"session_start_limit": object{"total": 1000, "remaining": 1000, "reset_after": 86_400_000, "max_concurrency": 1},
	})
}

func (s *Server) gatewayURL() string {
	return "ws" + strings.TrimPrefix(s.BaseURL(), "http") + "/gateway"
}
