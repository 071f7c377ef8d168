"""Which features of HTML and CSS a mail uses, named as caniemail names them.

A mail is read into facts, such as `element:table`, `property:margin-top`, `unit:px`; a feature is used where one of
its facts is there. What stands in a conditional comment only Outlook on Windows reads; it counts as a comment.
"""

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser

# Features whose facts their slug does not tell; the names of the others are read by `facts_of`.
_SAID_OTHERWISE: Mapping[str, tuple[str, ...]] = {
    "css-block-inline-size": ("property:block-size", "property:inline-size"),
    "css-border-inline-block": ("property:border-inline", "property:border-block"),
    "css-border-inline-block-individual": (
        *("property:border-inline-start", "property:border-inline-end"),
        *("property:border-block-start", "property:border-block-end"),
    ),
    "css-border-inline-block-longhand": (
        *("property:border-inline-width", "property:border-inline-style"),
        *("property:border-inline-color", "property:border-block-width"),
        *("property:border-block-style", "property:border-block-color"),
    ),
    "css-border-radius-logical": (
        *("property:border-start-start-radius", "property:border-start-end-radius"),
        *("property:border-end-start-radius", "property:border-end-end-radius"),
    ),
    "css-border-radius": (
        *("property:border-radius", "property:border-top-left-radius"),
        *("property:border-top-right-radius", "property:border-bottom-left-radius"),
        "property:border-bottom-right-radius",
    ),
    "css-at-media-device-pixel-ratio": ("media:-webkit-device-pixel-ratio",),
    "css-at-media-hover": ("media:hover", "media:any-hover"),
    "css-column-layout-properties": ("property:columns", "property:column"),
    "css-comments": ("comment:css",),
    "css-flex-direction": ("value:flex-direction:column",),
    "css-flex-wrap": ("property:flex-wrap",),
    "css-gap": ("property:gap", "property:column-gap", "property:row-gap"),
    "css-grid-template": ("property:grid-template",),
    "css-important": ("important",),
    "css-inert-attribute": ("attribute:inert",),
    "css-intrinsic-size": ("word:fit-content", "word:min-content", "word:max-content"),
    "css-left-right-top-bottom": (
        *("property:left", "property:right", "property:top", "property:bottom"),
    ),
    "css-margin-block-start-end": ("property:margin-block-start", "property:margin-block-end"),
    "css-margin-inline-block": ("property:margin-inline", "property:margin-block"),
    "css-margin-inline-start-end": ("property:margin-inline-start", "property:margin-inline-end"),
    "css-modern-color": ("function:lch", "function:oklch", "function:lab", "function:oklab"),
    "css-nesting": ("nesting",),
    "css-padding-block-start-end": ("property:padding-block-start", "property:padding-block-end"),
    "css-padding-inline-block": ("property:padding-inline", "property:padding-block"),
    "css-padding-inline-start-end": (
        *("property:padding-inline-start", "property:padding-inline-end"),
    ),
    "css-rgb": ("function:rgb",),
    "css-rgba": ("function:rgba",),
    "css-sytem-ui": (
        *("word:system-ui", "word:ui-serif", "word:ui-sans-serif", "word:ui-rounded"),
        "word:ui-monospace",
    ),
    "css-unit-calc": ("function:calc",),
    "css-unit-initial": ("word:initial",),
    "css-unit-percent": ("unit:%",),
    "css-variables": ("property:--", "function:var"),
    "html-anchor-links": ("link:#",),
    "html-button-reset": ("element:button:reset",),
    "html-button-submit": ("element:button:submit",),
    "html-comments": ("comment:html",),
    "html-doctype": ("doctype",),
    "html-h1-h6": tuple(f"element:h{level}" for level in range(1, 7)),
    "html-image-maps": ("element:map",),
    "html-lists": ("element:ul", "element:ol", "element:dl"),
    "html-mailto-links": ("link:mailto",),
    "html-meta-color-scheme": ("meta:color-scheme",),
    "html-semantics": tuple(
        f"element:{name}"
        for name in (
            *("article", "aside", "details", "figcaption", "figure", "footer", "header", "main"),
            *("mark", "nav", "section", "summary", "time"),
        )
    ),
    "html-srcset": ("attribute:srcset", "attribute:sizes"),
    "image-base64": ("link:data",),
}
# Properties that stand for all that begin with them, but for those with a feature of their own.
_FAMILIES = (
    *("animation", "background", "border", "column", "grid-template", "list-style", "margin"),
    *("outline", "overflow", "padding", "transition"),
)
_ATTRIBUTES = (
    *("align", "background", "cellpadding", "cellspacing", "dir", "height", "hidden", "lang"),
    *("popover", "required", "role", "target", "valign", "width"),
)


def facts_of(slug: str) -> tuple[str, ...]:
    """Return the facts of which one shows that the feature is used."""
    if slug in _SAID_OTHERWISE:
        return _SAID_OTHERWISE[slug]
    kind, _, name = slug.partition("-")
    if kind == "image":
        return (f"image:{name}",)
    return _of_css(name) if kind == "css" else _of_html(name)


def _of_css(name: str) -> tuple[str, ...]:
    for prefix, fact in (
        ("at-media-", "media"),
        ("at-", "at"),
        ("function-", "function"),
        ("pseudo-class-", "pseudo"),
        ("pseudo-element-", "pseudo"),
        ("selector-", "selector"),
        ("unit-", "unit"),
    ):
        if name.startswith(prefix):
            return (f"{fact}:{name.removeprefix(prefix)}",)
    if name.endswith("-gradient"):
        return (f"function:{name}",)
    if name.startswith("display-"):
        return (f"value:display:{name.removeprefix('display-')}",)
    return (
        (f"property:{name}", f"property:{name}-*") if name in _FAMILIES else (f"property:{name}",)
    )


def _of_html(name: str) -> tuple[str, ...]:
    if name.startswith("input-"):
        return (f"element:input:{name.removeprefix('input-')}",)
    if name in _ATTRIBUTES or name.startswith("aria-") or name.endswith("-attribute"):
        return (f"attribute:{name.removesuffix('-attribute')}",)
    return (f"element:{name}",)


def used(html: str, features: Mapping[str, object]) -> set[str]:
    """Return the features that a mail uses, of those that are named."""
    known = {fact for slug in features for fact in facts_of(slug)}
    facts = {fact if fact in known else _family(fact) for fact in _Mail(html).facts}
    return {slug for slug in features if facts & set(facts_of(slug))}


def _family(fact: str) -> str:
    """Return the fact of the family to which a property belongs, or the fact itself."""
    if fact.startswith("property:--"):
        return "property:--"
    families = (f"property:{family}" for family in _FAMILIES)
    return next((family for family in families if fact.startswith(f"{family}-")), fact)


class _Mail(HTMLParser):
    """Reads the facts of a mail."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.facts: set[str] = set()
        self._in_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        self.facts |= {f"element:{tag}"} | {f"attribute:{name}" for name in values}
        if "type" in values:
            self.facts.add(f"element:{tag}:{values['type']}")
        if tag == "meta" and "name" in values:
            self.facts.add(f"meta:{values['name']}")
        for link in (values.get("href"), values.get("src"), values.get("background")):
            self.facts |= set(_of_link(link or ""))
        self.facts |= set(_of_declarations(values.get("style", "")))

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.facts |= set(_of_sheet(data))

    def handle_comment(self, data: str) -> None:
        self.facts.add("comment:html")

    def handle_decl(self, decl: str) -> None:
        self.facts.add("doctype")


def _of_link(link: str) -> Iterator[str]:
    yield f"link:{'#' if link.startswith('#') else link.partition(':')[0]}"
    ending = re.search(r"(?:\.|^data:image/)(\w+)(?:[?;].*)?$", link)
    if ending:
        yield f"image:{ending[1].replace('jpeg', 'jpg')}"


def _of_sheet(css: str) -> Iterator[str]:
    """Yield the facts of a style sheet: at-rules, selectors, declarations."""
    plain = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    if plain != css:
        yield "comment:css"
    for name, condition in re.findall(r"@([\w-]+)([^{;]*)", plain):
        yield f"at:{name}"
        if name == "media":
            yield from (f"media:{feature}" for feature in re.findall(r"\(\s*([\w-]+)", condition))
    for selector, declarations in re.findall(r"([^{}@;]+)\{([^{}]*)\}", plain):
        yield from _of_selector(selector.strip())
        yield from _of_declarations(declarations)


_SELECTORS = {
    "adjacent-sibling": r"\+",
    "attribute": r"\[",
    "chaining": r"[\w-][.#][\w-]",
    "child": r">",
    "class": r"\.[\w-]",
    "descendant": r"[\w\])*]\s+[\w.#\[*]",
    "general-sibling": r"~",
    "grouping": r",",
    "id": r"#",
    "type": r"(^|[\s,>+~])[a-z]",
    "universal": r"\*",
}


def _of_selector(selector: str) -> Iterator[str]:
    yield from (
        f"selector:{kind}" for kind, like in _SELECTORS.items() if re.search(like, selector)
    )
    yield from (f"pseudo:{name}" for name in re.findall(r":([a-z][\w-]*)", selector))
    if "&" in selector:
        yield "nesting"


def _of_declarations(css: str) -> Iterator[str]:
    """Yield the facts of declarations, as they stand in a style attribute or between braces."""
    for name, value in re.findall(r"([\w-]+)\s*:\s*([^;]+)", css):
        unquoted = re.sub(r"'[^']*'|\"[^\"]*\"", "", value.lower())
        yield f"property:{name}"
        yield f"value:{name}:{unquoted.split()[0] if unquoted.split() else ''}"
        yield from (f"function:{function}" for function in re.findall(r"([\w-]+)\(", unquoted))
        yield from (
            f"unit:{unit}" for unit in re.findall(r"(?<![\w#-])-?[\d.]+([a-z]+|%)", unquoted)
        )
        yield from (f"word:{word}" for word in re.findall(r"[a-z][a-z-]*", unquoted))
        if "!important" in unquoted.replace("! ", "!"):
            yield "important"
