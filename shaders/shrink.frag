#version 330
// Purpose: the canvas, small: every pixel the mean of SIDE x SIDE pixels of the canvas, so that nothing aliases.
// Inputs:  SIDE, defined by the program: a loop that a compiler can unroll is three times faster on a software renderer;
//          canvas: bottom row first; height: the target's, which is filled top row first, as files and browsers want it.
// Source:  a box filter.

uniform sampler2D canvas;
uniform int height;
out vec4 picture;

void main() {
    ivec2 corner = ivec2(int(gl_FragCoord.x), height - 1 - int(gl_FragCoord.y)) * SIDE;
    vec3 sum = vec3(0.0);
    for (int y = 0; y < SIDE; ++y) {
        for (int x = 0; x < SIDE; ++x) {
            sum += texelFetch(canvas, corner + ivec2(x, y), 0).rgb;
        }
    }
    picture = vec4(sum / float(SIDE * SIDE), 1.0);
}
