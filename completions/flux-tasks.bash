# bash completion for flux. Made by hand: flux-tasks is its second name.
source "$(dirname -- "${BASH_SOURCE[0]}")/flux"
