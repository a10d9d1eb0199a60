# Replace the branch `notebooks` by the folder _build/edition: one commit, no history.
# PUSH_TO is the repository's address; without it that of the workflow, or git's remote `origin`.
set -eu
cd "$(dirname "$0")/.."
[ -f _build/edition/README.md ] || { echo "There is no edition: run 'make edition' first." >&2; exit 1; }
to=${PUSH_TO:-${GITHUB_REPOSITORY:+${GITHUB_SERVER_URL:-https://github.com}/$GITHUB_REPOSITORY.git}}
to=${to:-$(git remote get-url origin)}
made=$(git rev-parse --short HEAD)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R _build/edition/. "$copy"
cd "$copy"
git init --quiet --initial-branch=notebooks
git config user.name "The book's build"
git config user.email build@localhost
git add --force .
git commit --quiet --message "The reader's edition of $made"
if [ -n "${GITHUB_TOKEN:-}" ]; then
    # In the environment, not among the arguments: those are seen by every process.
    GIT_CONFIG_COUNT=1
    GIT_CONFIG_KEY_0=http.extraheader
    GIT_CONFIG_VALUE_0="Authorization: Basic $(printf 'x-access-token:%s' "$GITHUB_TOKEN" | base64 | tr -d '\n')"
    export GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0
fi
git push --quiet --force "$to" notebooks
