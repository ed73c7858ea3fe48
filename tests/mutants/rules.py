"""Mutants by rule: each is one small change of a source text, as (operator, start, end, replacement)."""

import random
import re

TABLE_SHARE = 8  # constants of a table that are mutated; the others are like them
KEYWORDS = {"if", "while", "for", "switch", "return", "sizeof", "else", "do", "case", "defined"}


def blank(text):
    """The text with comments, strings, characters and preprocessor lines as blanks, of the same length."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|^[ \t]*#(?:\\\n|[^\n])*'

    def spaces(m):
        keep = m.group()[0] in "\"'"
        return re.sub(r"[^\n]", "\1" if keep else " ", m.group())

    return re.sub(pattern, spaces, text, flags=re.S | re.M)


def matching(code, at):
    """The index behind the parenthesis that closes the one at `at`."""
    depth = 0
    for i in range(at, len(code)):
        depth += (code[i] == "(") - (code[i] == ")")
        if depth == 0:
            return i + 1
    return len(code)


def arguments(code, start, end):
    """The spans between the commas of a list, without those of inner parentheses."""
    spans, depth, first = [], 0, start
    for i in range(start, end):
        depth += (code[i] in "([{") - (code[i] in ")]}")
        if code[i] == "," and depth == 0:
            spans.append((first, i))
            first = i + 1
    spans.append((first, end))
    return [trim(code, a, b) for a, b in spans]


def trim(code, a, b):
    while a < b and code[a].isspace():
        a += 1
    while b > a and code[b - 1].isspace():
        b -= 1
    return a, b


def regions(code):
    """Bodies of functions, and initializers and enums at file scope, as (start, end, is_function)."""
    depth, start = 0, 0
    for i, ch in enumerate(code):
        if ch == "{":
            if depth == 0:
                start = i
            depth += 1
        elif ch == "}":
            depth -= 1
            if depth == 0:
                yield start, i, code[:start].rstrip().endswith(")")


OPERATORS = [  # (operator, pattern, replacements)
    ("boundary", r"(?<![<>=!-])<(?![<=])(?=[ \n])", ["<="]),
    ("boundary", r"(?<![<>=!-])>(?![>=])(?=[ \n])", [">="]),
    ("boundary", r"(?<!<)<=", ["<"]),
    ("boundary", r"(?<!>)>=", [">"]),
    ("comparison", r"(?<![<>=!-])<(?![<=])(?=[ \n])", [">"]),
    ("comparison", r"(?<![<>=!-])>(?![>=])(?=[ \n])", ["<"]),
    ("comparison", r"==", ["!="]),
    ("comparison", r"!=", ["=="]),
    ("arithmetic", r"(?<=[ \n])\+(?=[ \n])", ["-"]),
    ("arithmetic", r"(?<=[ \n])-(?=[ \n])", ["+"]),
    ("arithmetic", r"(?<=[\w)\]] )\*(?=[ \n])", ["/"]),
    ("arithmetic", r"(?<=[ \n])/(?=[ \n])", ["*"]),
    ("arithmetic", r"(?<=[ \n])%(?=[ \n])", ["/"]),
    ("arithmetic", r"\+=", ["-=", "="]),
    ("arithmetic", r"-=", ["+=", "="]),
    ("arithmetic", r"\+\+", ["--"]),
    ("arithmetic", r"(?<!-)--(?!-)", ["++"]),
    ("shift", r"<<(?!=)", [">>"]),
    ("shift", r">>(?!=)", ["<<"]),
    ("flag", r"(?<=[ \n])\|(?=[ \n])", ["&"]),
    ("flag", r"(?<=[\w)] )&(?=[ \n])", ["|"]),
    ("flag", r"\|=", ["=", "&="]),
    ("flag", r"&=", ["=", "|="]),
    ("flag", r"~", [""]),
    ("flag", r"\btrue\b", ["false"]),
    ("flag", r"\bfalse\b", ["true"]),
    ("condition", r"&&", ["||"]),
    ("condition", r"\|\|", ["&&"]),
    ("condition", r"(?<![\w=])!(?=[\w(*])", [""]),
]


DECLARES = re.compile(r"^\s*(?!return |else |case |goto )(?:\w+ )+[^()=]*\w\[[^\]]*$")


def constants(code, a, b):
    """One more and one less; but an array of one element more, which nobody uses, is the same."""
    for m in re.finditer(r"(?<![\w.])(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)(?![\w.])", code[a:b]):
        n = int(m.group(1), 0)
        line = code[code.rfind("\n", 0, a + m.start()) + 1 : a + m.start()]
        for value in (n - 1,) if DECLARES.match(line) else (n + 1, n - 1):
            if value >= 0:
                yield "constant", a + m.start(), a + m.end(), f"{value}{m.group(2)}"


def operators(code, a, b):
    for name, pattern, replacements in OPERATORS:
        for m in re.finditer(pattern, code[a:b]):
            for r in replacements:
                yield name, a + m.start(), a + m.end(), r


def conditions(code, text, a, b):
    """A whole condition negated; one side of && and || dropped."""
    for m in re.finditer(r"\b(if|while) \(", code[a:b]):
        start = a + m.end() - 1
        end = matching(code, start)
        yield "negation", start + 1, end - 1, "!(" + text[start + 1 : end - 1] + ")"
        if m.group(1) == "if":
            yield "dropped condition", start + 1, end - 1, "1"
            yield "dropped condition", start + 1, end - 1, "0"
        for word in ("&&", "||"):
            parts = split(code, start + 1, end - 1, word)
            for i, (p, q) in enumerate(parts if len(parts) > 1 else []):
                yield "dropped condition", p, q, "1" if word == "&&" else "0"
    for m in re.finditer(r" \? ", code[a:b]):
        end = a + m.start()
        start, depth = end, 0
        while start > a and not (depth == 0 and code[start - 1] in "=(,;?:{["):
            depth += (code[start - 1] == ")") - (code[start - 1] == "(")
            start -= 1
        start, end = trim(code, start, end)
        start += len("return ") if code.startswith("return ", start) else 0
        yield "negation", start, end, "!(" + text[start:end] + ")"


def split(code, a, b, word):
    spans, depth, first, i = [], 0, a, a
    while i < b:
        depth += (code[i] in "([") - (code[i] in ")]")
        if depth == 0 and code.startswith(word, i):
            spans.append((first, i))
            first = i = i + 2
        else:
            i += 1
    spans.append((first, b))
    return [trim(code, p, q) for p, q in spans]


def statements(code, a, b):
    """Statements that can be left out: calls, assignments, break, continue, return without a value."""
    for m in re.finditer(r"(?<=[;{}):])(\s*)([^;{}]+);", code[a:b]):
        start, end = a + m.start(2), a + m.end(2)
        body = code[start:end]
        if m.group(2).count("(") != m.group(2).count(")"):
            continue
        if re.match(r"(static|const|case|default|struct|enum|goto|return\b.)", body):
            continue
        is_call = re.match(r"[\w>.\[\]-]+\(", body)
        is_assignment = re.match(r"[*\w>.\[\]()+ -]*[^ ]( [-+|&^*/]?=|<<=|>>=|\+\+|--)", body) or "++" in body
        declares = re.match(r"(\w+ )+\**\w+( =|\[|$|,)", body)
        if body in ("break", "continue", "return") or ((is_call or is_assignment) and not declares):
            yield "dropped statement", start, end, ""
    for m in re.finditer(r"\breturn ([^;]+);", code[a:b]):
        if m.group(1) not in ("0", "1", "NULL", "true", "false"):
            yield "returned value", a + m.start(1), a + m.end(1), "0"


def swaps(code, text, a, b):
    for m in re.finditer(r"\b(\w+)\(", code[a:b]):
        if m.group(1) in KEYWORDS or m.group(1) in ("memcmp", "smaller"):  # the same either way
            continue
        start = a + m.end() - 1
        end = matching(code, start)
        spans = arguments(code, start + 1, end - 1)
        for (p, q), (r, s) in zip(spans, spans[1:]):
            if text[p:q] != text[r:s]:
                yield "swapped arguments", p, s, text[r:s] + text[q:r] + text[p:q]
    for m in re.finditer(r"\? ", code[a:b]):
        arms = re.match(r"([^?:;{}(),]+|[^?:;{}]*?\([^?:;{}]*?\)[^?:;{}(),]*) : ([^?:;{}(),]+)", code[a + m.end() : b])
        if arms:
            p = a + m.end()
            first, second = text[p : p + arms.end(1)], text[p + arms.start(2) : p + arms.end(2)]
            yield "swapped arguments", p, p + arms.end(2), second + " : " + first


def mutants(text, seed):
    """All mutants of a source, without repetition, in the order of the text."""
    code = blank(text)
    found = set()
    for a, b, is_function in regions(code):
        if is_function:
            for made in (constants(code, a, b), operators(code, a, b), conditions(code, text, a, b),
                         statements(code, a, b), swaps(code, text, a, b)):
                found.update(made)
        else:
            table = sorted(constants(code, a, b))
            found.update(random.Random(f"{seed}{a}").sample(table, min(len(table), TABLE_SHARE)))
    return sorted((m for m in found if text[m[1] : m[2]] != m[3]), key=lambda m: (m[1], m[2], m[0], m[3]))
