"""flux: where do my Flux generation tasks stand?"""

__version__ = "0.1.0"
