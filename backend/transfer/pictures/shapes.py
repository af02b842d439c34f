"""The things themselves, each a few simple shapes on a canvas."""

from collections.abc import Callable

from backend.transfer.pictures.canvas import Canvas


def lamp(c: Canvas) -> None:
    c.box(800, 760, 36, 540, "shade")
    c.disc(800, 1310, 420, 70, "shade")
    c.shape((640, 360), (960, 360), (1120, 800), (480, 800))
    c.disc(800, 800, 640, 60, "accent")


def floor_lamp(c: Canvas) -> None:
    c.line((620, 1320), (620, 420), (820, 260), (980, 420), width=32)
    c.disc(620, 1325, 360, 50, "shade")
    c.half(980, 590, 380, 200, upper=True)
    c.disc(980, 590, 380, 44, "accent")


def lantern(c: Canvas) -> None:
    c.arc(800, 460, 420, 360, 180, 360)
    c.shape((560, 560), (1040, 560), (960, 440), (640, 440), color="shade")
    c.box(800, 560, 480, 680, "main", 30)
    c.box(800, 640, 360, 520, "accent", 20)
    c.disc(800, 950, 120, 280, "main")
    c.box(800, 1240, 560, 80, "shade", 20)


def chair(c: Canvas) -> None:
    for x in (560, 1040):
        c.line((x, 1320), (x, 860), width=40)
    c.line((560, 860), (520, 380), width=40)
    c.line((1040, 860), (1080, 380), width=40)
    c.box(800, 360, 620, 260, "main", 60)
    c.box(800, 840, 640, 120, "main", 50)


def table(c: Canvas) -> None:
    c.line((460, 1320), (540, 760), width=46)
    c.line((1140, 1320), (1060, 760), width=46)
    c.box(800, 680, 1040, 110, "main", 40)
    c.box(800, 790, 820, 40, "shade")


def shelf(c: Canvas) -> None:
    for x in (440, 1160):
        c.box(x, 320, 44, 1010, "shade", 10)
    for y in (420, 740, 1060):
        c.box(800, y, 760, 50, "main", 10)
    for x, height, color in ((560, 190, "main"), (630, 230, "shade"), (700, 170, "main"), (980, 210, "shade")):
        c.box(x, 740 - height, 56, height, color, 8)
    c.disc(1000, 990, 150, 150, "accent")


def cushion(c: Canvas) -> None:
    c.shape((420, 520), (1180, 520), (1180, 1240), (420, 1240))
    c.disc(800, 530, 800, 150)
    c.disc(800, 1230, 800, 170)
    c.disc(430, 880, 150, 760)
    c.disc(1170, 880, 150, 760)
    c.disc(800, 880, 70, color="shade")
    for x, y in ((520, 620), (1080, 620), (520, 1140), (1080, 1140)):
        c.line((800, 880), (x, y), width=10)


def blanket(c: Canvas) -> None:
    for y, color in ((1130, "shade"), (930, "main"), (730, "shade"), (530, "main")):
        c.box(800, y, 860, 190, color, 80)
    for y in (580, 780, 980, 1180):
        c.box(800, y, 620, 26, "accent", 12)


def rug(c: Canvas) -> None:
    c.box(800, 460, 980, 800, "main", 20)
    c.box(800, 540, 820, 640, "accent", 16)
    c.box(800, 600, 700, 520, "shade", 12)
    c.shape((800, 660), (1040, 860), (800, 1060), (560, 860), color="accent")
    for x in range(340, 1280, 60):
        c.line((x, 1260), (x, 1320), width=12, color="main")


def pan(c: Canvas) -> None:
    c.line((1060, 820), (1440, 640), width=70)
    c.disc(720, 960, 800, 560, "shade")
    c.disc(720, 930, 740, 490)
    c.disc(720, 930, 560, 360, "accent")


def pot(c: Canvas) -> None:
    c.arc(800, 800, 940, 260, 140, 400, 44)
    c.box(800, 720, 760, 560, "main", 90)
    c.box(800, 660, 820, 90, "shade", 40)
    c.half(800, 660, 720, 150, "main", upper=True)
    c.disc(800, 500, 110, 90, "shade")


def mug(c: Canvas) -> None:
    c.arc(1110, 860, 360, 420, 250, 470, 70)
    c.box(760, 560, 640, 740, "main", 90)
    c.disc(760, 570, 640, 120, "shade")
    c.disc(760, 580, 560, 86, "accent")
    c.box(760, 980, 640, 60, "accent")


def bowl(c: Canvas) -> None:
    c.box(800, 1220, 340, 110, "shade", 30)
    c.half(800, 760, 960, 520)
    c.disc(800, 760, 960, 150, "shade")
    c.disc(800, 770, 860, 108, "accent")


def plate(c: Canvas) -> None:
    c.disc(800, 860, 960, 900, "shade")
    c.disc(800, 850, 920, 860)
    c.disc(800, 850, 620, 580, "accent")
    c.disc(800, 850, 540, 500, "main")


def teapot(c: Canvas) -> None:
    c.arc(1150, 900, 380, 420, 250, 470, 56)
    c.shape((420, 760), (300, 700), (240, 760), (520, 1120), color="shade")
    c.disc(780, 940, 800, 700)
    c.half(780, 660, 420, 120, "shade", upper=True)
    c.disc(780, 530, 90, color="shade")
    c.box(780, 1260, 420, 60, "shade", 20)


def bottle(c: Canvas) -> None:
    c.box(800, 620, 420, 710, "main", 90)
    c.shape((640, 660), (960, 660), (890, 460), (710, 460))
    c.box(800, 340, 220, 150, "shade", 30)
    c.box(800, 860, 420, 240, "accent")


def board(c: Canvas) -> None:
    c.box(800, 520, 720, 800, "main", 120)
    c.box(800, 330, 200, 240, "main", 80)
    c.disc(800, 420, 80, color="accent")
    for x in (600, 720, 900, 1010):
        c.line((x, 600), (x + 20, 1240), width=8)


def shirt(c: Canvas) -> None:
    c.shape(
        (560, 420),
        (1040, 420),
        (1320, 660),
        (1180, 840),
        (1060, 760),
        (1060, 1300),
        (540, 1300),
        (540, 760),
        (420, 840),
        (280, 660),
    )
    c.half(800, 418, 280, 130, "accent")
    c.line((540, 760), (540, 900), width=10)
    c.line((1060, 760), (1060, 900), width=10)


def sweater(c: Canvas) -> None:
    c.shape(
        (540, 420),
        (1060, 420),
        (1300, 620),
        (1380, 1160),
        (1220, 1200),
        (1080, 800),
        (1080, 1260),
        (520, 1260),
        (520, 800),
        (380, 1200),
        (220, 1160),
        (300, 620),
    )
    c.box(800, 1250, 580, 80, "shade", 20)
    c.box(800, 370, 300, 90, "shade", 40)
    for y in (620, 720, 820):
        c.box(800, y, 540, 34, "accent")


def jacket(c: Canvas) -> None:
    sweater(c)
    c.box(800, 610, 560, 640, "main")
    c.box(800, 440, 26, 890, "accent")
    for x in (650, 950):
        c.box(x, 960, 180, 180, "shade", 24)


def hat(c: Canvas) -> None:
    c.half(800, 1040, 660, 560, upper=True)
    c.box(800, 1000, 760, 200, "shade", 90)
    c.disc(800, 460, 180, color="accent")
    for x in (620, 740, 860, 980):
        c.line((x, 1030), (x, 1170), width=12, color="main")


def scarf(c: Canvas) -> None:
    c.disc(800, 640, 760, 420, "shade")
    c.disc(800, 600, 520, 240, "accent")
    c.shape((900, 720), (1140, 720), (1080, 1300), (860, 1300))
    c.shape((640, 760), (860, 780), (760, 1240), (520, 1200), color="shade")
    for y in (960, 1080, 1200):
        c.box(980, y, 210, 30, "accent")


def bag(c: Canvas) -> None:
    c.arc(800, 620, 420, 520, 180, 360, 44)
    c.shape((440, 600), (1160, 600), (1240, 1320), (360, 1320))
    c.box(800, 900, 300, 220, "accent", 30)


def backpack(c: Canvas) -> None:
    c.arc(800, 400, 280, 220, 180, 360, 40)
    c.box(800, 380, 760, 940, "main", 220)
    c.box(800, 820, 560, 420, "shade", 80)
    c.box(800, 880, 560, 30, "accent")
    c.box(800, 580, 420, 40, "shade", 20)


def tent(c: Canvas) -> None:
    c.shape((800, 400), (1460, 1320), (140, 1320))
    c.shape((800, 400), (1060, 1320), (540, 1320), color="shade")
    c.shape((800, 640), (940, 1320), (660, 1320), color="accent")


def plant(c: Canvas) -> None:
    for x, y in ((560, 560), (700, 400), (900, 380), (1040, 540)):
        c.line((800, 960), (x, y), width=24)
        c.disc(x, y, 210, 260, "main")
    c.shape((580, 920), (1020, 920), (950, 1320), (650, 1320), color="accent")
    c.box(800, 880, 500, 90, "shade", 20)


def watering_can(c: Canvas) -> None:
    c.line((1040, 1120), (1380, 700), width=60)
    c.shape((1290, 640), (1480, 760), (1440, 820), (1250, 700), color="shade")
    c.arc(560, 820, 520, 620, 90, 300, 50)
    c.box(780, 780, 600, 540, "main", 60)
    c.disc(780, 790, 600, 100, "shade")


def vase(c: Canvas) -> None:
    for x, y in ((640, 380), (800, 300), (960, 400)):
        c.line((800, 760), (x, y), width=16)
        c.disc(x, y, 130, color="accent")
    c.disc(800, 1040, 560, 580)
    c.box(800, 680, 220, 200, "main", 30)
    c.box(800, 660, 280, 50, "shade", 24)


def candle(c: Canvas) -> None:
    c.box(800, 760, 480, 560, "main", 50)
    c.disc(800, 770, 480, 110, "accent")
    c.line((800, 770), (800, 660), width=14)
    c.disc(800, 570, 110, 210, "shade")
    c.box(800, 980, 300, 180, "accent", 20)


def basket(c: Canvas) -> None:
    c.arc(800, 760, 700, 720, 180, 360, 44)
    c.shape((380, 760), (1220, 760), (1100, 1320), (500, 1320))
    c.box(800, 720, 900, 90, "shade", 40)
    for y in (880, 1010, 1140):
        c.box(800, y, 700, 26, "accent", 12)


def notebook(c: Canvas) -> None:
    c.box(830, 380, 720, 940, "shade", 40)
    c.box(800, 360, 720, 940, "main", 40)
    c.box(520, 360, 70, 940, "shade", 20)
    c.box(860, 560, 380, 180, "accent", 16)


def pen(c: Canvas) -> None:
    c.line((500, 1240), (1060, 500), width=110, color="main")
    c.line((980, 600), (1100, 450), width=112)
    c.shape((400, 1370), (450, 1190), (560, 1270), color="accent")


def clock(c: Canvas) -> None:
    c.disc(800, 840, 920, color="shade")
    c.disc(800, 840, 820, color="accent")
    c.line((800, 840), (800, 560), width=34)
    c.line((800, 840), (980, 940), width=34)
    c.disc(800, 840, 80)


SHAPES: dict[str, Callable[[Canvas], None]] = {
    draw.__name__.replace("_", "-"): draw
    for draw in (
        lamp,
        floor_lamp,
        lantern,
        chair,
        table,
        shelf,
        cushion,
        blanket,
        rug,
        pan,
        pot,
        mug,
        bowl,
        plate,
        teapot,
        bottle,
        board,
        shirt,
        sweater,
        jacket,
        hat,
        scarf,
        bag,
        backpack,
        tent,
        plant,
        watering_can,
        vase,
        candle,
        basket,
        notebook,
        pen,
        clock,
    )
}
"""Name of a thing -> what draws it."""
