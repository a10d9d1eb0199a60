# Open an issue about a failed weekly run, or comment on the one that is open. RUN is its address.
set -eu
title="The weekly run fails"
text="See ${RUN:?the address of the failed run}."
open=$(gh issue list --state open --search "in:title \"$title\"" --json number --jq '.[0].number // empty')
if [ -n "$open" ]; then
    gh issue comment "$open" --body "$text"
else
    gh issue create --title "$title" --body "$text"
fi
