"""What several models share; a model's file and these can be copied into any project.

training and checkpoint: the loop of all networks. target: labels as numbers. How rows become
tensors: sequences (rows with a past), signals (recordings), ids.
"""
