# Arguments: folder of the server programs, working folder, server options.
# Says "ready" when the server accepts connections and stops it when standard
# input ends; the working folder goes too, unless the last word was "keep".
bin=$1 dir=$2 options=$3
trap '' HUP INT PIPE TERM
exec 2>>"$dir/log"
umask 077
if [ ! -f "$dir/data/PG_VERSION" ]; then
	"$bin/initdb" -D "$dir/data" -U postgres --pwfile="$dir/password" \
		--auth=password --encoding=UTF8 --locale=C --no-sync >>"$dir/log" || exit 1
fi
"$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 90 -o "$options" start >>"$dir/log" </dev/null || exit 1
echo ready
exec >>"$dir/log"
word=
read -r word || word=
# A suspended server hears nothing else.
pid=$(head -n 1 "$dir/data/postmaster.pid") && kill -CONT "$pid"
"$bin/pg_ctl" -D "$dir/data" -w -t 20 -m immediate stop ||
	kill -KILL "$pid"
[ "$word" = keep ] || rm -rf "$dir"
exit 0
