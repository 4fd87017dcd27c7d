from tests.commitments.fixtures import alice, bob, concrete, mallory, riverside

__all__ = ["alice", "bob", "concrete", "mallory", "riverside"]
