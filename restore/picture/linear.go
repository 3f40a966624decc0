package picture

// SetLinear says that the picture's values are linear light of sRGB's colours, by a profile.
func (p *Picture) SetLinear() {
	p.ICC, _ = makeProfile(srgbXY, power(1), p.Gray)
	p.colour = nil
}
