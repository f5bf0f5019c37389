# Steps of a training on R nodes, from what was measured on one: f + c B / R milliseconds of computing, bytes of gradients over a line of so many Gbit/s
# there and back, nothing overlapped, and the exchange's 2 log2 R messages of L ms. usage: awk -f tests/ranks_model.awk
function step(f, c, bytes, B, R, gbit,    lg) {
	lg = log(R) / log(2)
	return f + c * B / R + (R > 1 ? 2 * (1 - 1 / R) * bytes * 8 / (gbit * 1e6) + 2 * lg * L : 0)
}
function net(name, f, c, bytes, B,    g, R, one) {
	for (g = 25; g <= 100; g *= 4) {
		one = step(f, c, bytes, B, 1, g)
		printf "| %s | %d | %d |", name, B, g
		for (R = 8; R <= 512; R *= 8)
			if (B >= R) printf " %.0f images/s, %.1f times |", 1000 * B / step(f, c, bytes, B, R, g), one / step(f, c, bytes, B, R, g)
			else printf " fewer rows than nodes |"
		for (R = 1; R < B && step(f, c, bytes, B, 2 * R, g) < 0.8 * step(f, c, bytes, B, R, g); R *= 2);
		printf " %d |\n", R
	}
}
BEGIN {
	L = 0.03
	print "| net | batch | Gbit/s | 8 nodes | 64 nodes | 512 nodes | no gain beyond |\n|---|---|---|---|---|---|---|"
	net("heat", 4, 2.6, 1524740, 32); net("heat", 4, 2.6, 1524740, 512); net("heat", 4, 2.6, 1524740, 4096)
	net("conv", 14, 1.28, 32222000, 128); net("conv", 14, 1.28, 32222000, 512); net("conv", 14, 1.28, 32222000, 4096)
}
