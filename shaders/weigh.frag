#version 330
// Purpose: one picture's share of a mix; blended additively at source size, picture by picture.
// Inputs:  source: display-referred RGB; weight: 0-1.

uniform sampler2D source;
uniform float weight;
out vec4 share;

void main() {
    share = vec4(texelFetch(source, ivec2(gl_FragCoord.xy), 0).rgb * weight, 1.0);
}
