# Install what looks after the scripts of the book (types, lint, axe), where there is npm.
# Nothing of it is needed to read or to build the book, so its absence is told and no error.
if ! command -v npm >/dev/null; then
    echo "npm is not here: types and lint of the scripts, and axe, are not tried"
elif npm ci --ignore-scripts --silent; then
    touch node_modules/.done
else
    echo "npm ci failed: types and lint of the scripts, and axe, are not tried"
fi
