# The examples of docs/api.md do what that page says.
umask 077
echo 'wagon lilac brave otter' >password
export ANTIGONE_PASSWORD_FILE=$PWD/password ANTIGONE_NEW_PASSWORD_FILE=$PWD/password
export ANTIGONE_STORE=$PWD/store ANTIGONE_SESSION=$PWD/session
antigone init root --site K1 --agency "Institute K1" --plain-key -q
umask 022
: >address
"$program" serve --listen 127.0.0.1:0 --log log >address &
service=$!
umask 077
trap 'kill $service 2>/dev/null' EXIT
for _ in $(seq 100); do
    grep -q https address && break
    sleep 0.1
done
BASE=$(sed -n 's/^Serving at //p' address)
telephone() { # URI: what the telephone shows
    (umask 077; echo "$1" >telephone)
    "$here/../../tools/second-factor.py" --code telephone
}
PASSWORD=$(cat password) PHOTO=$here/../../docs/report.png
# what stands in blocks of sh, in order; each command must succeed
awk '/^```sh/ { on = 1; next } /^```/ { on = 0 } on' "$here/../../docs/api.md" >examples
set -e
. ./examples >answers
set +e
kill -TERM $service
wait $service
echo "the service ended with $?"
stat -c "its log has mode %a" log
sed -n 's/.*"method": "\([A-Z]*\)", "route": "\([^"]*\)", "status": \([0-9]*\).*/\1 \2 \3/p' log
grep -q "$PASSWORD" log answers || echo "the password stands nowhere"
