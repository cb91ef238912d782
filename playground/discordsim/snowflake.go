package discordsim

import (
	"strconv"
	"time"
)

// discordEpoch is the first millisecond of 2015,
// https://discord.com/developers/docs/reference#snowflakes.
const discordEpoch = 1420070400000

// snowflakes makes ids that grow, even when the clock stands.
type snowflakes struct{ last uint64 }

func (f *snowflakes) next(now time.Time) string {
	id := uint64(max(now.UnixMilli()-discordEpoch, 1)) << 22
	if id <= f.last {
		id = f.last + 1
	}
	f.last = id
	return strconv.FormatUint(id, 10)
}

// isSnowflake reports whether id has the form of a snowflake.
func isSnowflake(id string) bool {
	if id == "" || len(id) > 20 {
		return false
	}
	_, err := strconv.ParseUint(id, 10, 64)
	return err == nil
}
