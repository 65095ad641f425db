# fish completion for flux. Made by hand: flux-tasks is its second name.
complete -c flux-tasks -w flux
