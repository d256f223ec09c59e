# Every command and every option of it stands in the manual.
antigone help --man | sed 's/\\-/-/g; s/\\f[BIR]//g' >manual
antigone help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 }
    on && /^  [a-z]/ { print $1 (substr($0, 3) ~ /^[a-z]+ [a-z]/ ? " " $2 : "") }' >commands
while read -r command
do
    grep -q "^.SS \"antigone $command\"" manual || echo "no $command"
    # shellcheck disable=SC2086
    antigone help $command | sed -n 's/^  .*\(--[a-z-]*\).*/\1/p' | grep -v '^--help' |
        while read -r option
        do
            sed -n "/^.SS \"antigone $command\"/,/^.S[SH]/p" manual | grep -q -- "$option" ||
                echo "no $option of $command"
        done
done <commands
cat commands
