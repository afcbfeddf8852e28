#version 330
// Purpose: a small picture (lines of text) laid over the target, pixel by pixel.
// Inputs:  text: RGBA, alpha multiplied in, row 0 on top; corner: where its lower left pixel is in the target.

uniform sampler2D text;
uniform ivec2 corner;
out vec4 colour;

void main() {
    ivec2 place = ivec2(gl_FragCoord.xy) - corner;
    colour = texelFetch(text, ivec2(place.x, textureSize(text, 0).y - 1 - place.y), 0);
}
