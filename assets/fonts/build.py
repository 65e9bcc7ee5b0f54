#!/usr/bin/env python3
"""Makes the bundled fonts from Debian's packages fonts-inter, fonts-jetbrains-mono and fonts-dejavu-core.

    python3 -m venv venv && venv/bin/pip install fonttools && venv/bin/python build.py

Inter and JetBrains Mono are cut to Latin, Greek and mathematics. Inter's digits are replaced by its own tabular ones, so
that no number jumps while it changes. DejaVu Sans and DejaVu Sans Mono give the mathematical signs that the two lack.
`learnscope-symbols.ttf` is drawn here: the transport signs (pause, stop, skip, reset) that none of the three has.
"""

from fontTools import subset
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

TEXT = [
    (0x20, 0x7E), (0xA0, 0x17F), (0x192, 0x192), (0x1F0, 0x1F0), (0x218, 0x21B), (0x2B0, 0x2E9), (0x300, 0x338),
    (0x370, 0x3FF), (0x400, 0x45F), (0x1D2C, 0x1D6A), (0x1E00, 0x1EFF), (0x2000, 0x206F), (0x2070, 0x209F),
    (0x20A0, 0x20BF), (0x20D0, 0x20D7), (0x2100, 0x214F), (0x2150, 0x218B), (0x2190, 0x21FF), (0x2200, 0x22FF),
    (0x2300, 0x23FF), (0x2500, 0x257F), (0x2580, 0x259F), (0x25A0, 0x25FF), (0x2600, 0x2605), (0x2610, 0x2612),
    (0x2660, 0x2667), (0x26A0, 0x26A1), (0x2700, 0x2718), (0x27C0, 0x27EF), (0x27F0, 0x27FF), (0x2900, 0x297F),
    (0x2A00, 0x2A3F), (0x2C7C, 0x2C7D), (0x2B00, 0x2B1F), (0xFFFD, 0xFFFD),
]
SYSTEM = "/usr/share/fonts/"


def cut(source, target, features, without=(), hinting=False):
    """Writes the subset of `source` that TEXT names, less the characters in `without`."""
    options = subset.Options()
    options.layout_features = features
    options.hinting = hinting
    options.desubroutinize = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.notdef_outline = True
    font = TTFont(SYSTEM + source)
    if "tnum" in features:
        tabular_digits(font)
    unicodes = [c for low, high in TEXT for c in range(low, high + 1) if c not in without]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=unicodes)
    subsetter.subset(font)
    font.save(target)
    return set(font.getBestCmap())


def tabular_digits(font):
    """Points the digits at the font's own tabular alternates."""
    swaps = {}
    gsub = font["GSUB"].table
    for record in gsub.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            for index in record.Feature.LookupListIndex:
                for table in gsub.LookupList.Lookup[index].SubTable:
                    swaps.update(getattr(getattr(table, "ExtSubTable", table), "mapping", {}))
    for table in font["cmap"].tables:
        for code, glyph in list(table.cmap.items()):
            if 0x30 <= code <= 0x39 and glyph in swaps:
                table.cmap[code] = swaps[glyph]


def symbols(target):
    """Transport signs on a 1000-unit square: boxes and triangles."""
    def bar(pen, x0, y0, x1, y1):
        pen.moveTo((x0, y0)), pen.lineTo((x0, y1)), pen.lineTo((x1, y1)), pen.lineTo((x1, y0)), pen.closePath()

    def right(pen, x0, x1):
        pen.moveTo((x0, 50)), pen.lineTo((x0, 650)), pen.lineTo((x1, 350)), pen.closePath()

    def left(pen, x0, x1):
        pen.moveTo((x1, 50)), pen.lineTo((x0, 350)), pen.lineTo((x1, 650)), pen.closePath()

    shapes = {
        0x23E9: lambda p: (right(p, 130, 480), right(p, 480, 830)),
        0x23EA: lambda p: (left(p, 130, 480), left(p, 480, 830)),
        0x23ED: lambda p: (right(p, 110, 450), right(p, 450, 790), bar(p, 790, 50, 880, 650)),
        0x23EE: lambda p: (bar(p, 120, 50, 210, 650), left(p, 210, 550), left(p, 550, 890)),
        0x23EF: lambda p: (right(p, 100, 500), bar(p, 580, 50, 680, 650), bar(p, 780, 50, 880, 650)),
        0x23F4: lambda p: left(p, 200, 720),
        0x23F5: lambda p: right(p, 240, 780),
        0x23F8: lambda p: (bar(p, 250, 50, 410, 650), bar(p, 590, 50, 750, 650)),
        0x23F9: lambda p: bar(p, 210, 60, 790, 640),
        0x23FA: lambda p: circle(p, 500, 350, 300),
        0x23FB: lambda p: circle(p, 500, 350, 300),
    }

    def circle(pen, x, y, r):
        k = r * 0.4142
        pen.moveTo((x + r, y))
        pen.qCurveTo((x + r, y - k), (x + r * 0.7071, y - r * 0.7071))
        pen.qCurveTo((x + k, y - r), (x, y - r))
        pen.qCurveTo((x - k, y - r), (x - r * 0.7071, y - r * 0.7071))
        pen.qCurveTo((x - r, y - k), (x - r, y))
        pen.qCurveTo((x - r, y + k), (x - r * 0.7071, y + r * 0.7071))
        pen.qCurveTo((x - k, y + r), (x, y + r))
        pen.qCurveTo((x + k, y + r), (x + r * 0.7071, y + r * 0.7071))
        pen.qCurveTo((x + r, y + k), (x + r, y))
        pen.closePath()

    del shapes[0x23FB]
    names = [".notdef", "space"] + [f"uni{code:04X}" for code in shapes]
    glyphs = {}
    for name, draw in zip(names, [lambda p: None, lambda p: None, *shapes.values()]):
        pen = TTGlyphPen(None)
        draw(pen)
        glyphs[name] = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({0x20: "space", **{code: f"uni{code:04X}" for code in shapes}})
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics({name: (1000, 0) for name in names})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Learnscope Symbols", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.save(target)


inter = cut("opentype/inter/Inter-Regular.otf", "Inter-Regular.otf", ["kern", "mark", "mkmk", "tnum"])
cut("opentype/inter/Inter-SemiBold.otf", "Inter-SemiBold.otf", ["kern", "mark", "mkmk", "tnum"])
# No ligatures: "->" in a CSV header is two characters.
mono = cut("truetype/jetbrains-mono/JetBrainsMono-Regular.ttf", "JetBrainsMono-Regular.ttf", ["mark", "mkmk"])
cut("truetype/dejavu/DejaVuSans.ttf", "DejaVuSans-maths.ttf", ["mark", "mkmk"], without=inter)
cut("truetype/dejavu/DejaVuSansMono.ttf", "DejaVuSansMono-maths.ttf", ["mark", "mkmk"], without=mono)
symbols("learnscope-symbols.ttf")
