"""The verifiable instructions of IFEval (Zhou et al., 2023, arXiv 2311.07911): one small function each.

A function takes the answer and the instruction's arguments and says whether it was followed. The rules are those of
the reference implementation, google-research/instruction_following_eval/instructions.py; where one differs, the
function says so. An answer may be a megabyte of brackets, so no pattern here backtracks.
"""
