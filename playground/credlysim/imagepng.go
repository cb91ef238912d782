package credlysim

import (
	"bytes"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"math"
)

// pngSide is how wide and high a picture is, in pixels.
const pngSide = 200

// drawPNG draws the same badge as [drawBadge] as a PNG, which is what mail
// programs show. Initials in other letters than those of English are left out.
func drawPNG(name string) ([]byte, error) {
	img := image.NewNRGBA(image.Rect(0, 0, pngSide, pngSide))
	hue := hueOf(name)
	dark, bright := hsl(hue, 0.55, 0.32), hsl(hue, 0.70, 0.85)
	for y := range pngSide {
		for x := range pngSide {
			// The distance from the middle to the nearest edge of the hexagon.
			dx, dy := math.Abs(float64(x)+0.5-pngSide/2), math.Abs(float64(y)+0.5-pngSide/2)
			d := max(dx*94/82, dx*47/82+dy) * 82 / 94
			line := 2 - math.Abs(d-68)
			c := dark
			if line > -0.5 {
				c = mix(dark, bright, min(1, line+0.5))
			}
			c.A = uint8(255 * max(0, min(1, 82.5-d)))
			img.SetNRGBA(x, y, c)
		}
	}
	drawInitials(img, initials(name))
	var out bytes.Buffer
	err := png.Encode(&out, img)
	return out.Bytes(), err
}

func hueOf(name string) uint32 {
	sum := fnv.New32a()
	// A hash never refuses a write.
	_, _ = sum.Write([]byte(name))
	return sum.Sum32() % 360
}

// hsl is a colour as style sheets name it.
func hsl(hue uint32, saturation, lightness float64) color.NRGBA {
	part := func(n float64) uint8 {
		k := math.Mod(n+float64(hue)/30, 12)
		a := saturation * min(lightness, 1-lightness)
		return uint8(math.Round(255 * (lightness - a*max(-1, min(k-3, 9-k, 1)))))
	}
	return color.NRGBA{part(0), part(8), part(4), 255}
}

func mix(a, b color.NRGBA, share float64) color.NRGBA {
	part := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*share) }
	return color.NRGBA{part(a.R, b.R), part(a.G, b.G), part(a.B, b.B), 255}
}

// letters are drawn with dots, five wide and seven high; a row is a number
// whose bits are its dots.
var letters = map[rune][7]uint8{
	'A': {14, 17, 17, 31, 17, 17, 17}, 'B': {30, 17, 17, 30, 17, 17, 30}, 'C': {14, 17, 16, 16, 16, 17, 14},
	'D': {30, 17, 17, 17, 17, 17, 30}, 'E': {31, 16, 16, 30, 16, 16, 31}, 'F': {31, 16, 16, 30, 16, 16, 16},
	'G': {14, 17, 16, 23, 17, 17, 14}, 'H': {17, 17, 17, 31, 17, 17, 17}, 'I': {14, 4, 4, 4, 4, 4, 14},
	'J': {7, 2, 2, 2, 2, 18, 12}, 'K': {17, 18, 20, 24, 20, 18, 17}, 'L': {16, 16, 16, 16, 16, 16, 31},
	'M': {17, 27, 21, 21, 17, 17, 17}, 'N': {17, 25, 21, 19, 17, 17, 17}, 'O': {14, 17, 17, 17, 17, 17, 14},
	'P': {30, 17, 17, 30, 16, 16, 16}, 'Q': {14, 17, 17, 17, 21, 18, 13}, 'R': {30, 17, 17, 30, 20, 18, 17},
	'S': {15, 16, 16, 14, 1, 1, 30}, 'T': {31, 4, 4, 4, 4, 4, 4}, 'U': {17, 17, 17, 17, 17, 17, 14},
	'V': {17, 17, 17, 17, 17, 10, 4}, 'W': {17, 17, 17, 21, 21, 27, 17}, 'X': {17, 17, 10, 4, 10, 17, 17},
	'Y': {17, 17, 10, 4, 4, 4, 4}, 'Z': {31, 1, 2, 4, 8, 16, 31},
	'0': {14, 17, 19, 21, 25, 17, 14}, '1': {4, 12, 4, 4, 4, 4, 14}, '2': {14, 17, 1, 2, 4, 8, 31}, '3': {30, 1, 1, 14, 1, 1, 30},
	'4': {2, 6, 10, 18, 31, 2, 2}, '5': {31, 16, 30, 1, 1, 17, 14}, '6': {6, 8, 16, 30, 17, 17, 14}, '7': {31, 1, 2, 4, 8, 8, 8},
	'8': {14, 17, 17, 14, 17, 17, 14}, '9': {14, 17, 17, 15, 1, 2, 12},
}

func drawInitials(img *image.NRGBA, text string) {
	const dot, wide, high = 6, 5, 7
	left := (pngSide - (len([]rune(text))*(wide+1)-1)*dot) / 2
	for _, r := range text {
		for row, bits := range letters[r] {
			for column := range wide {
				if bits>>(wide-1-column)&1 == 0 {
					continue
				}
				for y := range dot {
					for x := range dot {
						img.SetNRGBA(left+column*dot+x, (pngSide-high*dot)/2+row*dot+y, color.NRGBA{255, 255, 255, 255})
					}
				}
			}
		}
		left += (wide + 1) * dot
	}
}
