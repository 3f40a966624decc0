package picture

// SetLinear gives the picture an ICC profile of linear light with sRGB's primaries. It does not
// change values.
func (p *Picture) SetLinear() {
	p.ICC, _ = makeProfile(srgbXY, power(1), p.Gray)
	p.colour = nil
}
