#version 330
// Purpose: the canvas, small: every pixel the mean of the canvas under it, so that nothing aliases.
// Inputs:  canvas: (width x height), bottom row first; size: the target's, which is filled top row first, as files and
//          browsers want it.
// Source:  an area (box) filter with fractional edges.

uniform sampler2D canvas;
uniform ivec2 size;
out vec4 picture;

void main() {
    ivec2 pixel = ivec2(int(gl_FragCoord.x), size.y - 1 - int(gl_FragCoord.y));
    ivec2 whole = textureSize(canvas, 0);
    vec2 area = vec2(whole) / vec2(size);
    vec2 from = vec2(pixel) * area;
    vec2 to = from + area;
    ivec2 first = ivec2(from);
    ivec2 end = min(ivec2(ceil(to)), whole);
    vec3 sum = vec3(0.0);
    for (int y = first.y; y < end.y; ++y) {
        vec3 line = vec3(0.0);
        for (int x = first.x; x < end.x; ++x) {
            line += texelFetch(canvas, ivec2(x, y), 0).rgb * (min(to.x, float(x + 1)) - max(from.x, float(x)));
        }
        sum += line * (min(to.y, float(y + 1)) - max(from.y, float(y)));
    }
    picture = vec4(sum / (area.x * area.y), 1.0);
}
