package web

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math"
	"slices"
	"testing"
)

// smaller writes a picture again in fewer octets: with 256 colours. Pages have few,
// and the shades at the edges of letters become others that nobody can tell from
// them.
func smaller(b []byte) ([]byte, error) {
	from, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	bounds := from.Bounds()
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(from.At(x, y)).(color.RGBA) }
	count := map[color.RGBA]int{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	palette := paletteOf(count)
	index := map[color.RGBA]uint8{}
	for c := range count {
		index[c] = uint8(palette.Index(c))
	}
	to := image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			to.SetColorIndex(x, y, index[at(x, y)])
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&out, to)
	return out.Bytes(), err
}

// paletteOf chooses the 256 colours that stand for all: the most frequent, and then
// again and again the one that is farthest from those that were chosen, so that a
// word in green stays green on a page in grey.
func paletteOf(count map[color.RGBA]int) color.Palette {
	all := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(shade(a), shade(b)))
	})
	const size, frequent = 256, 96
	var palette color.Palette
	far := make([]float64, len(all)) // how far each is from the nearest that was chosen
	for i := range far {
		far[i] = math.Inf(1)
	}
	choose := func(c color.RGBA) {
		palette = append(palette, c)
		for i, other := range all {
			r, g, b := float64(c.R)-float64(other.R), float64(c.G)-float64(other.G), float64(c.B)-float64(other.B)
			far[i] = min(far[i], r*r+g*g+b*b)
		}
	}
	for _, c := range all[:min(len(all), frequent)] {
		choose(c)
	}
	for len(palette) < min(len(all), size) {
		worst, most := 0, -1.0
		for i, c := range all {
			if loss := far[i] * math.Sqrt(float64(count[c])); loss > most {
				worst, most = i, loss
			}
		}
		choose(all[worst])
	}
	return palette
}

// shade is a colour as a number, to put those that are as frequent into an order.
func shade(c color.RGBA) uint32 { return uint32(c.R)<<16 | uint32(c.G)<<8 | uint32(c.B) }

func TestSmaller(t *testing.T) {
	picture := image.NewRGBA(image.Rect(0, 0, 200, 200))
	for y := range 200 { // grey in many shades that follow no rule, with one green spot
		for x := range 200 {
			n := uint8((x*x*7 + y*y*13 + x*y) >> 3)
			picture.SetRGBA(x, y, color.RGBA{n, n, n&^3 + uint8(x&3), 255})
		}
	}
	green := color.RGBA{0, 220, 60, 255}
	picture.SetRGBA(7, 7, green)
	var large bytes.Buffer
	if err := png.Encode(&large, picture); err != nil {
		t.Fatal(err)
	}
	b, err := smaller(large.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	small, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if len(b) >= large.Len() || small.Bounds() != picture.Bounds() {
		t.Errorf("%d octets of %d, %v", len(b), large.Len(), small.Bounds())
	}
	if got := color.RGBAModel.Convert(small.At(7, 7)); got != green {
		t.Errorf("the green spot is %v", got)
	}
	if _, err := smaller([]byte("no picture")); err == nil {
		t.Error("no picture became smaller")
	}
}
