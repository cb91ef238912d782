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

// guildsBegin is when the made-up guilds were founded, in milliseconds since
// discordEpoch: 2020.
const guildsBegin = 157_766_400_000

// guildID makes the id of the n-th guild. Each is of another millisecond, so
// that guilds spread over shards.
func guildID(n int) string { return strconv.FormatUint(uint64(guildsBegin+n)<<22, 10) }
