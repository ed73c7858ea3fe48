#!/bin/bash
# make release VERSION=1.2.3: checks, writes the version wherever it stands, commits, tags v1.2.3, and makes the archives with
# their checksums and the bill of materials. Nothing is pushed. CHECKS is what must pass, `make test packages-test` unless given.
set -eu
fail() {
    echo "release: $1" >&2
    exit 1
}
[[ ${VERSION:-} =~ ^[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}$ ]] || fail "say which: make release VERSION=1.2.3"
[ -z "$(git status --porcelain --untracked-files=no)" ] || fail "what is not committed would not be a part of it"
! git rev-parse -q --verify "refs/tags/v$VERSION" >/dev/null || fail "there is a v$VERSION already"
grep -q "^## $VERSION, not released yet$" CHANGELOG.md || fail "CHANGELOG.md has no line: ## $VERSION, not released yet"

unset MAKEFLAGS # it has VERSION, for make itself
old=$(make -s --no-print-directory print-VERSION)
IFS=. read -r major minor patch <<<"$VERSION"
sed -i -E "s/^(#define MOTE_VERSION_MAJOR) .*/\1 $major/; s/^(#define MOTE_VERSION_MINOR) .*/\1 $minor/; s/^(#define MOTE_VERSION_PATCH) .*/\1 $patch/" hpack/version.h
sed -i "s/version: '${old//./\\.}'/version: '$VERSION'/" meson.build
sed -i "s/\"version\": \"${old//./\\.}\"/\"version\": \"$VERSION\"/" packages/vcpkg/vcpkg.json packages/boards/library.json
sed -i "s/^version=.*/version=$VERSION/" packages/boards/library.properties
sed -i "s/^version: .*/version: \"$VERSION\"/" packages/boards/idf_component.yml
sed -i "s/^version = .*/version = \"$VERSION\"/" packages/python/pyproject.toml
sed -i "1s/.*/mote ($VERSION) unstable; urgency=medium/; s/^ -- \(.*>\)  .*/ -- \1  $(LC_ALL=C date -uR)/" debian/changelog
sed -i "s/^## $VERSION, not released yet$/## $VERSION, $(date -u +%F)/" CHANGELOG.md

${CHECKS:-make test packages-test} || fail "the checks have failed: git checkout . takes the numbers back"
git commit -q -m "Release $VERSION" -- hpack/version.h meson.build packages debian/changelog CHANGELOG.md
git tag -a "v$VERSION" -m "mote $VERSION"
make -s dist
echo "released v$VERSION: git push --follow-tags, and publish what is in ${BUILD:-build}/dist"
