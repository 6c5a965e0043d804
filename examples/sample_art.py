"""Pictures of the sample document: the lighthouse on its title page, and its bar chart."""

from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.shapes import Circle, Drawing, Path, Polygon, Rect
from reportlab.lib.colors import HexColor, white

INK = HexColor(0x17324A)
SEA = HexColor(0x3F7C92)
BEAM = HexColor(0xF3E3B0)
LAMP = HexColor(0xD9A521)


def lighthouse(width: float, height: float) -> Drawing:
    """Draw a tower on a rock, its beam and the sea."""
    picture = Drawing(width, height)
    middle, lamp = width / 2, height * 0.84
    picture.add(
        Polygon([middle, lamp, 0, lamp + 34, 0, lamp - 34], fillColor=BEAM, strokeColor=None)
    )
    picture.add(
        Polygon(
            [middle, lamp, width, lamp + 20, width, lamp - 48], fillColor=BEAM, strokeColor=None
        )
    )
    _add_tower(picture, middle, 44, lamp - 12)
    picture.add(Circle(middle, lamp, 5, fillColor=LAMP, strokeColor=None))
    for number, shade in enumerate((SEA, HexColor(0x2C6078), INK)):
        picture.add(_wave(width, 40 - 14 * number, 14 * (number % 2), shade))
    return picture


def bar_chart(values: dict[str, float], width: float) -> Drawing:
    """Draw one bar for each label, from zero."""
    picture = Drawing(width, 150)
    chart = VerticalBarChart()
    chart.x, chart.y, chart.width, chart.height = 34, 14, width - 40, 128
    chart.data = [list(values.values())]
    chart.categoryAxis.categoryNames = list(values)
    chart.valueAxis.valueMin, chart.valueAxis.valueMax = 0, 2500
    chart.valueAxis.valueStep = 500
    chart.valueAxis.labelTextFormat = "{:,.0f}".format
    chart.valueAxis.visibleGrid = True
    chart.valueAxis.gridStrokeColor = HexColor(0xD5DCE1)
    for axis in (chart.categoryAxis, chart.valueAxis):
        axis.labels.fontName, axis.labels.fontSize = "Vera", 7
        axis.strokeColor = INK
    chart.bars[0].fillColor, chart.bars[0].strokeColor = SEA, None
    chart.barWidth, chart.groupSpacing = 7, 4
    picture.add(chart)
    return picture


def _add_tower(picture: Drawing, middle: float, foot: float, top: float) -> None:
    rock = [
        middle - 74,
        foot - 20,
        middle - 46,
        foot + 6,
        middle + 50,
        foot + 4,
        middle + 80,
        foot - 20,
    ]
    picture.add(Polygon(rock, fillColor=HexColor(0x5B6670), strokeColor=None))
    height = top - foot
    bands = 6
    for band in range(bands):
        low, high = band / bands, (band + 1) / bands
        left, right = 22 - 9 * low, 22 - 9 * high
        y0, y1 = foot + height * low, foot + height * high
        corners = [middle - left, y0, middle - right, y1, middle + right, y1, middle + left, y0]
        shade = INK if band % 2 else white
        picture.add(Polygon(corners, fillColor=shade, strokeColor=INK, strokeWidth=0.8))
    picture.add(Rect(middle - 17, top, 34, 3, fillColor=INK, strokeColor=None))
    picture.add(Rect(middle - 9, top + 3, 18, 20, fillColor=white, strokeColor=INK))
    roof = [middle - 12, top + 23, middle, top + 35, middle + 12, top + 23]
    picture.add(Polygon(roof, fillColor=INK, strokeColor=None))


def _wave(width: float, top: float, shift: float, shade: HexColor) -> Path:
    wave = Path(fillColor=shade, strokeColor=None)
    wave.moveTo(0, 0)
    wave.lineTo(0, top)
    length = width / 10
    for number in range(10):
        x = number * length
        lift = 8 if (number + (shift > 0)) % 2 else -3
        wave.curveTo(x + length / 3, top + lift, x + 2 * length / 3, top + lift, x + length, top)
    wave.lineTo(width, 0)
    wave.closePath()
    return wave
