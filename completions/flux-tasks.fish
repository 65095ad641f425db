# fish completion for flux. Made by hand: flux-tasks is its second name.
source (dirname (status --current-filename))/flux.fish
