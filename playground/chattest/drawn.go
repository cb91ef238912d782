package chattest

import "strings"

// Says reports whether what is drawn, each line indented by two spaces, holds
// all the texts. Lines are looked at as the bot wrote them, without the indent.
func Says(drawn string, texts []string) bool {
	plain := strings.ReplaceAll(strings.TrimPrefix(drawn, "  "), "\n  ", "\n")
	for _, part := range texts {
		if !strings.Contains(plain, part) {
			return false
		}
	}
	return true
}
