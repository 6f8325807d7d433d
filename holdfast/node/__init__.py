"""The composition root: Node and Hub, their services and jobs, the clock's discipline, identity."""
