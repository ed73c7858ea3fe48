#!/bin/sh
# The files of a folder as a table of C, for the program that serves them: embed.sh NAME FOLDER >FILE.c
# "index.html" is "/", any other is "/FILE".
set -eu
name=$1
folder=$2

type_of() {
    case $1 in
    *.html) echo 'text/html; charset=utf-8' ;;
    *.js) echo 'text/javascript; charset=utf-8' ;;
    *.css) echo 'text/css; charset=utf-8' ;;
    *.svg) echo 'image/svg+xml' ;;
    *) echo "embed.sh: $1 is of no known type" >&2; exit 1 ;;
    esac
}

echo "/* Made of $folder/ by embed.sh. */"
echo '#include "grpc/web/page.h"'
echo "extern const mote_page_file ${name}[];"
echo "extern const size_t ${name%s}_count;"
n=0
for file in "$folder"/*; do
    echo "static const unsigned char file_${n}[] = {"
    od -An -v -tu1 "$file" | sed 's/\([0-9][0-9]*\)/\1,/g'
    echo '};'
    n=$((n + 1))
done
echo "const mote_page_file ${name}[] = {"
n=0
for file in "$folder"/*; do
    path=$(basename "$file")
    echo "    {\"/$([ "$path" = index.html ] || echo "$path")\", \"$(type_of "$file")\", file_$n, sizeof file_$n},"
    n=$((n + 1))
done
echo '};'
echo "const size_t ${name%s}_count = $n;"
